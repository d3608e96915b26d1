/**
 * Lets the event loop run once: a worker then sees its messages, a terminal its Ctrl-C. A message to oneself,
 * since setTimeout waits 4 ms in browsers and requestAnimationFrame does not exist in workers.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
