// From one model to another: commands on the runtime socket where they are enough, otherwise a reload with its reasons.

import { type BackendModel, endpoint, type HaproxyModel, type ServerModel } from './model.ts';
import { runtimeWord } from './quoting.ts';

/** In order. Each waits for the one before. */
export type RuntimeStep =
  /** HAProxy sends traffic to an added server before any check: it is added drained, and ready after its first successful check. */
  | { readonly do: 'add'; readonly backend: string; readonly server: ServerModel; readonly commands: readonly string[] }
  /** Drained, its sessions ended after the pool's time, then removed. */
  | { readonly do: 'remove'; readonly backend: string; readonly server: string }
  | { readonly do: 'set'; readonly commands: readonly string[] }
  | { readonly do: 'certificate'; readonly path: string; readonly pem: string };

export type HaproxyChange =
  | { readonly kind: 'NONE' }
  | { readonly kind: 'RUNTIME'; readonly steps: readonly RuntimeStep[] }
  | { readonly kind: 'RELOAD'; readonly reasons: readonly string[] };

export function changeBetween(before: HaproxyModel, after: HaproxyModel): HaproxyChange {
  const reasons = reloadReasons(before, after);
  if (reasons.length > 0) return { kind: 'RELOAD', reasons };
  const steps = [
    ...[...after.certificates.values()]
      .filter(({ path, pem }) => before.certificates.get(path)?.pem !== pem)
      .map(({ path, pem }) => ({ do: 'certificate', path, pem }) as const),
    ...[...after.backends.values()].flatMap((backend) => serverSteps(before.backends.get(backend.name), backend)),
  ];
  return steps.length === 0 ? { kind: 'NONE' } : { kind: 'RUNTIME', steps };
}

function reloadReasons(before: HaproxyModel, after: HaproxyModel): string[] {
  const reasons: string[] = [];
  if (!same(before.global, after.global)) reasons.push('the size of the node changed');
  if (!same(before.defaults, after.defaults) || !same(before.events, after.events))
    reasons.push('the defaults changed');
  for (const name of union(before.frontends, after.frontends))
    if (!same(before.frontends.get(name)?.lines, after.frontends.get(name)?.lines))
      reasons.push(`the listener ${name} changed`);
  for (const name of union(before.backends, after.backends))
    if (!same(before.backends.get(name)?.lines, after.backends.get(name)?.lines))
      reasons.push(`the pool ${name} changed`);
  for (const path of union(before.files, after.files))
    if (before.files.get(path)?.content !== after.files.get(path)?.content) reasons.push(`the file ${path} changed`);
  for (const path of after.certificates.keys())
    if (!before.certificates.has(path)) reasons.push(`the certificate ${path} is new`);
  return reasons;
}

function serverSteps(before: BackendModel | undefined, after: BackendModel): RuntimeStep[] {
  const backend = after.name;
  const steps: RuntimeStep[] = [];
  for (const [name, server] of before?.servers ?? new Map<string, ServerModel>()) {
    const kept = after.servers.get(name);
    if (kept === undefined || !isSameServer(server, kept)) steps.push({ do: 'remove', backend, server: name });
  }
  for (const [name, server] of after.servers) {
    const old = before?.servers.get(name);
    if (old === undefined || !isSameServer(old, server))
      steps.push({ do: 'add', backend, server, commands: addCommands(after, server) });
    else steps.push(...setSteps(backend, old, server));
  }
  return steps;
}

function setSteps(backend: string, before: ServerModel, after: ServerModel): RuntimeStep[] {
  const commands: string[] = [];
  const target = `${backend}/${after.name}`;
  if (before.weight !== after.weight) commands.push(`set server ${target} weight ${after.weight}`);
  if (before.state !== after.state) commands.push(`set server ${target} state ${after.state.toLowerCase()}`);
  return commands.length === 0 ? [] : [{ do: 'set', commands }];
}

/** `default-server` is not inherited by dynamic servers, so that all keywords are given (HAProxy 2.6, management guide, "add server"). */
function addCommands({ name: backend, dynamicCookie }: BackendModel, server: ServerModel): string[] {
  const target = `${backend}/${server.name}`;
  const words = [endpoint(server), ...server.keywords, 'weight', String(server.weight)].map(runtimeWord);
  return [
    `add server ${target} ${words.join(' ')}`,
    ...(dynamicCookie ? [`enable dynamic-cookie backend ${backend}`] : []),
    `set server ${target} state drain`,
    ...(server.checked ? [`enable health ${target}`] : []),
  ];
}

function isSameServer(one: ServerModel, other: ServerModel): boolean {
  return one.address === other.address && one.port === other.port && same(one.keywords, other.keywords);
}

function same(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  return (
    one !== undefined &&
    other !== undefined &&
    one.length === other.length &&
    one.every((line, at) => line === other[at])
  );
}

function union<Key>(one: ReadonlyMap<Key, unknown>, other: ReadonlyMap<Key, unknown>): ReadonlySet<Key> {
  return new Set([...one.keys(), ...other.keys()]);
}
