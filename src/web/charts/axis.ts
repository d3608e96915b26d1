import type uPlot from 'uplot';
import { colour } from '../dom.ts';

/** An axis as all charts of the page have it. */
export const axis = (of: uPlot.Axis): uPlot.Axis => ({
  stroke: colour('muted'),
  grid: { stroke: colour('line'), width: 1 },
  ticks: { show: false },
  font: '12px system-ui',
  ...of,
});
