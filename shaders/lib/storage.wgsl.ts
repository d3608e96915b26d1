/**
 * Declares consecutive storage buffers from binding `first` on, each an array of the given elements. Those after `->`
 * are read_write. Exactly `name: element`, without commas in an element:
 *
 *   storage(1, 'push: f32, pop: f32 -> chunks: vec2u')
 */
export function storage(first: number, buffers: string): string {
  const [read, written = []] = buffers.split('->').map(part => part.split(',').filter(text => text.trim()));
  const declare = (access: string, from: number) => (buffer: string, i: number) => {
    const [name, element] = buffer.trim().split(': ');
    return `@group(0) @binding(${from + i}) var<storage, ${access}> ${name}: array<${element}>;`;
  };
  return [
    ...read.map(declare('read', first)),
    ...written.map(declare('read_write', first + read.length)),
  ].join('\n');
}
