import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/**
 * blockScan(x): inclusive prefix sum of x over the workgroup of `size` invocations. Leaves all sums in wg_scan[0 …
 * size) and ends with a barrier, so that any invocation may read any sum. Must be called in uniform control flow. Needs
 * the private variable `lid` and, with subgroups, `subgroupNumber` and `endsSubgroup` (sequence.wgsl.ts).
 *
 * With subgroups: a subgroup scan, plus the totals of the preceding subgroups (2 barriers). Without: the scan of Hillis
 * and Steele in workgroup memory (1 + 2·log2(size) barriers). The sums differ only by rounding.
 */
export const blockScan = (size: number, subgroups: boolean): string => wgsl`
var<workgroup> wg_scan: array<f32, ${size}>;
#if ${subgroups}
// A subgroup may have only one invocation, so there may be as many totals as invocations.
var<workgroup> wg_totals: array<f32, ${size}>;
fn blockScan(x: f32) {
  let inSubgroup = subgroupInclusiveAdd(x);
  if (endsSubgroup) { wg_totals[subgroupNumber] = inSubgroup; }
  workgroupBarrier();
  var before = 0.0;
  for (var k = 0u; k < subgroupNumber; k++) { before += wg_totals[k]; }
  wg_scan[lid] = before + inSubgroup;
  workgroupBarrier();
}
#else
fn blockScan(x: f32) {
  wg_scan[lid] = x;
  workgroupBarrier();
  for (var reach = 1u; reach < ${size}u; reach *= 2u) {
    var sum = wg_scan[lid];
    if (lid >= reach) { sum += wg_scan[lid - reach]; }
    workgroupBarrier();
    wg_scan[lid] = sum;
    workgroupBarrier();
  }
}
#endif
`;
