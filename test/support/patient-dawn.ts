/**
 * Dawn polls for the end of its work with setImmediate, so a core is busy while another compiles or computes. Tests that run in
 * parallel need that core, and can wait a millisecond. (Dawn looks the function up at every call.)
 */
const soon = (work: (...args: unknown[]) => void, ...args: unknown[]) => setTimeout(work, 1, ...args);

globalThis.setImmediate = soon as unknown as typeof setImmediate;
