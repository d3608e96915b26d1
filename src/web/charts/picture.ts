import { colour } from '../dom.ts';
import type { DrawnChart } from './charts.ts';

const TITLE = 26;
const GAP = 16;

/** Draws all charts as they are on the page into one PNG, in two columns. */
export function pictureOf(charts: readonly DrawnChart[], heading: string): Promise<Blob> {
  const ratio = devicePixelRatio || 1;
  const [title, gap] = [TITLE * ratio, GAP * ratio];
  const width = Math.max(...charts.map(({ canvas }) => canvas.width));
  const height = Math.max(...charts.map(({ canvas }) => canvas.height));
  const rows = Math.ceil(charts.length / 2);
  const canvas = document.createElement('canvas');
  canvas.width = 2 * width + 3 * gap;
  canvas.height = title + rows * (height + title + gap) + gap;
  const context = canvas.getContext('2d')!;
  context.fillStyle = colour('card');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = colour('ink');
  context.textBaseline = 'middle';
  context.font = `bold ${15 * ratio}px system-ui, sans-serif`;
  context.fillText(heading, gap, gap + title / 2, canvas.width - 2 * gap);
  context.font = `${14 * ratio}px system-ui, sans-serif`;
  charts.forEach((chart, i) => {
    const x = gap + (i % 2) * (width + gap);
    const y = gap + title + Math.floor(i / 2) * (height + title + gap);
    context.fillStyle = colour('ink');
    context.fillText(chart.title, x, y + title / 2);
    let labelX = x + context.measureText(chart.title).width + gap;
    for (const { label, colour: hue } of chart.legend) {
      context.fillStyle = hue;
      context.fillText(label, labelX, y + title / 2);
      labelX += context.measureText(label).width + gap;
    }
    context.drawImage(chart.canvas, x, y + title);
  });
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      blob => (blob ? resolve(blob) : reject(new Error('the PNG could not be created.'))),
      'image/png',
    ),
  );
}
