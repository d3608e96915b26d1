import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/**
 * blockScan(x): inclusive prefix sum of x over the workgroup of `size` invocations. Leaves all sums in
 * wg_scan[0 … size) and ends with a barrier, so that anyone may read its neighbours'. Must be called in
 * uniform control flow. Needs the private variables `lid` and, with subgroups, `subgroupWidth`.
 *
 * With subgroups: a subgroup scan, then the totals of the subgroups before it (2 barriers). Without: Hillis and
 * Steele's scan in workgroup memory (2·log2(size) barriers). The sums differ in rounding only.
 */
export const blockScan = (size: number, subgroups: boolean): string => wgsl`
var<workgroup> wg_scan: array<f32, ${size}>;
#if ${subgroups}
// A subgroup has at least 4 invocations.
var<workgroup> wg_totals: array<f32, ${Math.max(1, Math.ceil(size / 4))}>;
fn blockScan(x: f32) {
  let inSubgroup = subgroupInclusiveAdd(x);
  let subgroup = lid / subgroupWidth;
  if ((lid + 1u) % subgroupWidth == 0u || lid == ${size - 1}u) {
    wg_totals[subgroup] = inSubgroup;
  }
  workgroupBarrier();
  var before = 0.0;
  for (var k = 0u; k < subgroup; k++) { before += wg_totals[k]; }
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
