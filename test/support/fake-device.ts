/** How a fake device fails. Whatever is not set succeeds at once. */
export interface FakeFailures {
  /** Pipelines are never built. */
  pipelines?: 'never';
  /** Work never ends once a kernel is dispatched. */
  work?: 'never';
  /** Waits never end, even without work. */
  waits?: 'never';
}

const never = <T>(): Promise<T> => new Promise(() => undefined);

/**
 * A WebGPU device that computes nothing: its buffers hold zeros, and its compiler accepts everything. For tests of the
 * host's behaviour while it waits.
 */
export function fakeDevice({ pipelines, work, waits }: FakeFailures): {
  device: GPUDevice;
  readonly destroyed: boolean;
} {
  // WebGPU's constants, which Node may not define.
  Object.assign(globalThis, {
    GPUShaderStage: { COMPUTE: 4 },
    GPUBufferUsage: { MAP_READ: 1, COPY_DST: 8 },
    GPUMapMode: { READ: 1 },
  });
  let destroyed = false;
  let dispatched = false;
  const done = async (): Promise<void> => {
    if (waits || (work && dispatched)) await never();
  };
  const pass = {
    setPipeline: () => undefined,
    setBindGroup: () => undefined,
    dispatchWorkgroups: () => {
      dispatched = true;
    },
    end: () => undefined,
  };
  const encoder = {
    beginComputePass: () => pass,
    clearBuffer: () => undefined,
    copyBufferToBuffer: () => undefined,
    finish: () => ({}),
  };
  const device = {
    addEventListener: () => undefined,
    lost: never(),
    features: new Set(),
    limits: {
      maxStorageBufferBindingSize: 2 ** 27,
      maxBufferSize: 2 ** 28,
      maxComputeWorkgroupStorageSize: 16_384,
    },
    queue: { submit: () => undefined, writeBuffer: () => undefined, onSubmittedWorkDone: done },
    pushErrorScope: () => undefined,
    popErrorScope: async () => null,
    createShaderModule: () => ({ getCompilationInfo: async () => ({ messages: [] }) }),
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createBindGroup: () => ({}),
    createComputePipelineAsync: () => (pipelines ? never() : Promise.resolve({})),
    createCommandEncoder: () => encoder,
    createBuffer: ({ size }: { size: number }) => ({
      size,
      mapAsync: done,
      getMappedRange: () => new ArrayBuffer(size),
      unmap: () => undefined,
      destroy: () => undefined,
    }),
    destroy: () => {
      destroyed = true;
    },
  };
  return {
    device: device as unknown as GPUDevice,
    get destroyed() {
      return destroyed;
    },
  };
}
