// Grafbase's gateway, which is written in Rust. It is the development server of its command line, which composes the graph from the
// subgraphs' SDL and executes requests like the production server. Its only package is the program itself, for Linux on x64 (MPL-2.0).
//
// The compared configuration: limits of depth and aliases, and of the document's size in bytes, because it does not count tokens.
// Introspection is off. Equal requests to subgraphs in progress are joined, which is its default. It has no cache of answers here. It does
// not check the JWT, because that needs an extension which it would have to download from its vendor.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installPackages, type Peer, type PeerOptions, startPeer } from './peer.ts';

const folder = join(import.meta.dirname, 'grafbase');
const program = join(folder, 'node_modules/@grafbase/cli-x86_64-unknown-linux-musl/grafbase');
/** The shortest token, with its separator from the next one. */
const bytesPerToken = 2;

export const hasGrafbase = process.arch === 'x64';

export function installGrafbase(signal: AbortSignal): Promise<void> {
  return installPackages(folder, signal);
}

export async function startGrafbase({ services, places, limits, workFolder, signal }: PeerOptions): Promise<Peer> {
  for (const { name, sdl } of services) await writeFile(join(workFolder, `${name}.graphql`), sdl);
  const settings = [
    `executable_document_limit = "${limits.maxTokens * bytesPerToken}B"`,
    '[graph]\nintrospection = false',
    `[operation_limits]\ndepth = ${limits.maxDepth}\naliases = ${limits.maxAliases}`,
    '[traffic_shaping]\ninflight_deduplication = true',
    ...places.map(
      ({ name, plainUrl }) => `[subgraphs.${name}]\nurl = "${plainUrl}/graphql"\nschema_path = "./${name}.graphql"`,
    ),
  ];
  await writeFile(join(workFolder, 'grafbase.toml'), `${settings.join('\n')}\n`);
  return startPeer({
    name: 'Grafbase',
    program,
    flags: (port) => ['--home', workFolder, 'dev', '-c', 'grafbase.toml', '--listen-address', `127.0.0.1:${port}`],
    folder: workFolder,
    // It was observed to connect to no other host. It has no switch for this, so its vendor's addresses, which all use https, lead to a
    // closed port on loopback.
    env: { HOME: workFolder, HTTPS_PROXY: 'http://127.0.0.1:9' },
    readyPath: '/health',
    signal,
  });
}
