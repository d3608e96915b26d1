/** What to do for WebGPU in this browser: one or two sentences. */
export function adviceFor(userAgent: string, secure: boolean): string {
  if (!secure) return 'Open this page over https, or from localhost: browsers give WebGPU to no other.';
  const version = (name: string): number => Number(new RegExp(`${name}/(\\d+)`).exec(userAgent)?.[1] ?? 0);
  const linux = /Linux/.test(userAgent) && !/Android/.test(userAgent);
  const chromium = version('Edg') || version('Chrome');
  if (chromium) {
    const name = /Edg\//.test(userAgent) ? 'Edge' : 'Chrome';
    if (chromium < 113) return `This ${name} is of before WebGPU: update it to 113 or newer.`;
    const address = name === 'Edge' ? 'edge' : 'chrome';
    if (linux) {
      return `On Linux set ${address}://flags/#enable-unsafe-webgpu and #enable-vulkan to Enabled, start ${name} anew, and look at ${address}://gpu.`;
    }
    return `Turn graphics acceleration on in the settings of ${name}, update the graphics driver, and look at ${address}://gpu.`;
  }
  const firefox = version('Firefox');
  if (firefox) {
    return firefox < 141 || linux
      ? 'Firefox has WebGPU on Windows from 141 and on Apple Silicon from 145; elsewhere set dom.webgpu.enabled to true in about:config of Firefox Nightly, or take Chrome.'
      : 'Set dom.webgpu.enabled to true in about:config, and look at the graphics part of about:support.';
  }
  const safari = /Safari\//.test(userAgent) ? version('Version') : 0;
  if (safari) {
    return safari < 26
      ? 'Safari has WebGPU from version 26: update it, or turn WebGPU on in the feature flags of its developer settings.'
      : 'Turn WebGPU on in the feature flags of the developer settings of Safari.';
  }
  return 'For WebGPU take a current Chrome, Edge, Safari or Firefox, and a graphics driver they accept.';
}
