/** 16-bit floating-point numbers (IEEE 754 binary16), for which Node 20 and older browsers have no functions. */

const BITS = new DataView(new ArrayBuffer(4));

/** Converts 16 bits to the number they represent. */
export function numberOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Returns the bits of the 16-bit float nearest to a number, ties to even. Numbers too large become infinity. */
export function halfOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  BITS.setFloat32(0, value);
  const sign = (BITS.getUint32(0) >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  // The spacing of 16-bit floats is 2^-24 below 2^-14, and from there on 2^(e - 10) for numbers from 2^e to 2^(e + 1).
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -14)));
  const unit = 2 ** (exponent - 10);
  const units = roundToEven(size / unit);
  return sign | (exponent === -14 && units < 1024 ? units : ((exponent + 15) << 10) + units - 1024);
}

function roundToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
