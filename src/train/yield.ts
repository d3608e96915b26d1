/**
 * Lets the event loop run once, so that a worker receives its messages and a terminal program its Ctrl-C. Uses a
 * message channel, because nested setTimeout calls wait 4 ms in browsers, and requestAnimationFrame waits for the next
 * frame.
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
