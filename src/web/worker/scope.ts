/** A worker's global, of which TypeScript's library for pages knows nothing. */
export interface Scope<In, Out> {
  readonly name: string;
  postMessage(message: Out, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<In>) => void) | null;
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
}
