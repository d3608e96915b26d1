/**
 * Opens the peers: what people would use instead of pushdown. A PeerSource provides
 * the packages, WebGPU and Python: node.ts in Node, browser.ts in a page.
 */
import { firstLineOf } from '../../src/base/errors.ts';
import { type JaxJs, openJax } from './jax.ts';
import type { Backend, Peer } from './peer.ts';
import { openTfjs, type Tf } from './tfjs.ts';

export const PEERS = ['tfjs', 'jax', 'torch', 'torch-graph'] as const;
export type PeerName = (typeof PEERS)[number];

/** Loads peers. If one is missing, its function throws an error whose first line says how to install it. */
export interface PeerSource {
  /** What peers that have several backends compute on. */
  readonly backend: Backend;
  /** The name of the adapter that `navigator.gpu` returns, or `WebAssembly`. */
  readonly device: string;
  /** Whether that adapter is a software adapter. */
  readonly software: boolean;
  tfjs(): Promise<Tf>;
  jax(): Promise<JaxJs>;
  /** @param graph passes are CUDA graphs */
  torch(graph: boolean): Promise<Peer>;
  /** Releases all adapters. */
  release(): void;
}

export interface OpenedPeers {
  peers: Peer[];
  /** The peers that could not be opened, with the reason in one line. */
  missing: { name: PeerName; reason: string }[];
}

export async function openPeers(which: readonly PeerName[], source: PeerSource): Promise<OpenedPeers> {
  const open: Record<PeerName, () => Promise<Peer>> = {
    tfjs: async () => openTfjs(await source.tfjs(), source),
    jax: async () => openJax(await source.jax(), source),
    torch: () => source.torch(false),
    'torch-graph': () => source.torch(true),
  };
  const opened: OpenedPeers = { peers: [], missing: [] };
  for (const name of which) {
    try {
      opened.peers.push(await open[name]());
    } catch (error) {
      opened.missing.push({ name, reason: firstLineOf(error) });
    }
  }
  return opened;
}

export const NOT_INSTALLED = 'bench/peers is not installed: npm ci --prefix bench/peers';
