// Hive Gateway, started as by its own command line.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installPackages, type Peer, type PeerOptions, startPeer } from './peer.ts';
import type { SubgraphPlace } from './subgraphs-process.ts';

const folder = join(import.meta.dirname, 'hive');

export function installHive(signal: AbortSignal): Promise<void> {
  return installPackages(folder, signal);
}

export async function startHive({ limits, workFolder, signal, ...options }: PeerOptions): Promise<Peer> {
  const supergraphFile = join(workFolder, 'supergraph.graphql');
  await writeFile(supergraphFile, placed(options.supergraphSdl, options.places));
  const program = join(folder, 'node_modules/@graphql-hive/gateway/dist/bin.js');
  const flags = [program, 'supergraph', '--config-path', 'gateway.config.mjs', '--host', '127.0.0.1', '--port'];
  return startPeer({
    name: 'Hive Gateway',
    program: process.execPath,
    flags: (port) => [...flags, String(port)],
    folder,
    env: {
      BENCH_SUPERGRAPH: supergraphFile,
      BENCH_JWT_KEY: options.jwtKey.toString('base64'),
      BENCH_MAX_ALIASES: String(limits.maxAliases),
      BENCH_MAX_DEPTH: String(limits.maxDepth),
      BENCH_MAX_TOKENS: String(limits.maxTokens),
    },
    readyPath: '/readiness',
    signal,
  });
}

/** The composed graph names its subgraphs http://NAME. */
function placed(supergraphSdl: string, places: readonly SubgraphPlace[]): string {
  let sdl = supergraphSdl;
  for (const { name, plainUrl } of places) {
    const named = `url: "http://${name}"`;
    if (!sdl.includes(named)) throw new Error(`the supergraph has no ${named}`);
    sdl = sdl.replace(named, `url: "${plainUrl}/graphql"`);
  }
  return sdl;
}
