/**
 * Dawn polls for the end of its work with setImmediate, which keeps one core busy
 * while another compiles or computes. Tests that run in parallel need that core,
 * and can wait a millisecond. (Dawn reads globalThis.setImmediate at every call.)
 */
const afterOneMs = (work: (...args: unknown[]) => void, ...args: unknown[]) => setTimeout(work, 1, ...args);

globalThis.setImmediate = afterOneMs as unknown as typeof setImmediate;
