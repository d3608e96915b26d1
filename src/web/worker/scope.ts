/** The global object of a worker, which is not in TypeScript's DOM library. */
export interface Scope<In, Out> {
  readonly name: string;
  postMessage(message: Out, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<In>) => void) | null;
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
}
