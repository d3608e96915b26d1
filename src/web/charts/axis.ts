import type uPlot from 'uplot';
import { colour } from '../dom.ts';

/** The common style of the axes of all charts. */
export const axis = (options: uPlot.Axis): uPlot.Axis => ({
  stroke: colour('muted'),
  grid: { stroke: colour('line'), width: 1 },
  ticks: { show: false },
  font: '12px system-ui',
  ...options,
});
