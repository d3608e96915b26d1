/**
 * Opens what people would use instead of pushdown. Where the packages, WebGPU and Python come from is the source's
 * matter: node.ts in Node, browser.ts in a page.
 */
import { firstLineOf } from '../../src/base/errors.ts';
import { type JaxJs, openJax } from './jax.ts';
import type { Backend, Peer } from './peer.ts';
import { openTfjs, type Tf } from './tfjs.ts';

export const PEERS = ['tfjs', 'jax', 'torch'] as const;
export type PeerName = (typeof PEERS)[number];

/** Every one throws an error whose first line says what is missing and how to get it. */
export interface PeerSource {
  /** What peers with a choice compute on. */
  readonly backend: Backend;
  /** The adapter that `navigator.gpu` hands out, by name. */
  readonly device: string;
  /** Whether that computes on the CPU. */
  readonly software: boolean;
  tfjs(): Promise<Tf>;
  jax(): Promise<JaxJs>;
  torch(): Promise<Peer>;
  /** Gives back all adapters. */
  release(): void;
}

export interface OpenedPeers {
  peers: Peer[];
  /** Those that are not installed, and why, in one line each. */
  missing: { name: PeerName; reason: string }[];
}

export async function openPeers(which: readonly PeerName[], source: PeerSource): Promise<OpenedPeers> {
  const open: Record<PeerName, () => Promise<Peer>> = {
    tfjs: async () => openTfjs(await source.tfjs(), source),
    jax: async () => openJax(await source.jax(), source),
    torch: () => source.torch(),
  };
  const made: OpenedPeers = { peers: [], missing: [] };
  for (const name of which) {
    try {
      made.peers.push(await open[name]());
    } catch (error) {
      made.missing.push({ name, reason: firstLineOf(error) });
    }
  }
  return made;
}

export const NOT_INSTALLED = 'bench/peers is not installed: npm ci --prefix bench/peers';
