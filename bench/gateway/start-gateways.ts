// This project's gateway, over subgraphs in its own process and over HTTP, and the peers over the same HTTP subgraphs.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { defaultLimits } from '../../gateway/access/limits.ts';
import { Child } from '../../measure/child.ts';
import { newKeyPair } from '../../platform/secrets/key-pairs.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { composeSupergraph } from '../../schema/compose.ts';
import { hasGrafbase, startGrafbase } from './grafbase.ts';
import { type GraphName, graphNamed } from './graphs.ts';
import { startHive } from './hive.ts';
import type { GatewayOrder } from './own-gateway.ts';
import type { Peer, PeerOptions } from './peer.ts';
import type { MeasuredGateway } from './same-answers.ts';
import type { SubgraphPlace, SubgraphsOrder } from './subgraphs-process.ts';

const startDeadlineMs = 30_000;

interface StartedGateways {
  readonly gateways: readonly MeasuredGateway[];
  /** A JWT that all of them accept. */
  readonly token: string;
}

export async function startGateways(
  graph: GraphName,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<StartedGateways> {
  const { privateText, publicText } = newKeyPair();
  const keys = { active: 'k1', keys: { k1: privateText } };
  const publicKeys = { gateway: { k1: publicText }, system: {}, audit: {}, objects: {} };
  const jwtKey = randomBytes(32);
  const { services } = graphNamed(graph);
  const supergraphSdl = composeSupergraph(new Map(services.map(({ name, sdl }) => [name, sdl])));
  const workFolder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  stack.defer(() => rm(workFolder, { recursive: true, force: true }));

  const subgraphs = startChild(stack, './subgraphs-process.ts');
  const places = await subgraphs.ask<readonly SubgraphPlace[]>(
    { graph, publicKeys } satisfies SubgraphsOrder,
    startDeadlineMs,
  );
  const ours = { graph, supergraphSdl, keys, jwtKey: jwtKey.toString('base64') };
  const startOurs = async (name: string, order: GatewayOrder): Promise<MeasuredGateway> => {
    const child = startChild(stack, './gateway-process.ts');
    return { name, url: await child.ask<string>(order, startDeadlineMs), pid: child.pid, checksJwt: true };
  };
  const startOther = async (
    name: string,
    start: (options: PeerOptions) => Promise<Peer>,
    checksJwt: boolean,
  ): Promise<MeasuredGateway> => {
    const ownFolder = join(workFolder, name);
    await mkdir(ownFolder);
    const options = { services, supergraphSdl, places, jwtKey, limits: defaultLimits, workFolder: ownFolder, signal };
    const { url, pid, stop } = await start(options);
    stack.defer(stop);
    return { name, url, pid, checksJwt };
  };
  const signed = places.map(({ name, signedUrl }) => ({ name, urls: [signedUrl] as const }));
  const gateways = [
    await startOurs('inProcess', ours),
    await startOurs('http', { ...ours, places: signed }),
    await startOther('hive', startHive, true),
    ...(hasGrafbase ? [await startOther('grafbase', startGrafbase, false)] : []),
  ];
  return { gateways, token: await tokenFor(jwtKey) };
}

export function startChild(stack: AsyncDisposableStack, module: string): Child {
  const child = new Child(new URL(module, import.meta.url));
  stack.defer(() => child.stop());
  return child;
}

function tokenFor(jwtKey: Buffer): Promise<string> {
  return new SignJWT({ sid: newUuid() })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'k1' })
    .setIssuer('tidegate')
    .setSubject(newUuid())
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(jwtKey);
}
