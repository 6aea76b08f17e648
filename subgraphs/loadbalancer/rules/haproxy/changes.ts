// Compares two models: finds what can be changed on the runtime socket, and what needs a reload, with the reasons. Servers are not compared
// here: they are brought to the model from HAProxy's own report (servers.ts).
import {
  addCommand,
  type CertificateModel,
  type FileModel,
  type HaproxyModel,
  listedIn,
  type ServerModel,
} from './model.ts';

/** HAProxy reads a command with its payload into one buffer (tune.bufsize, 16 KiB). */
const mostPayloadBytes = 15_000;

/** Empty if the runtime socket is enough. */
export function reloadReasons(before: HaproxyModel, after: HaproxyModel): readonly string[] {
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
    else reasons.push(...serverReasons(before, after, name));
  for (const { path, content } of changedFiles(before, after))
    if (isLarge(content)) reasons.push(`the file ${path} is too large for the runtime socket`);
  for (const { path, pem } of changedCertificates(before, after))
    if (isLarge(pem)) reasons.push(`the certificate ${path} is too large for the runtime socket`);
  return reasons;
}

/** An existing server keeps the keywords with which it was added. */
function serverReasons(before: HaproxyModel, after: HaproxyModel, backend: string): string[] {
  const old = before.backends.get(backend)?.servers;
  return [...(after.backends.get(backend)?.servers.values() ?? [])]
    .filter(({ name, keywords }) => {
      const kept = old?.get(name);
      return kept !== undefined && !same(kept.keywords, keywords);
    })
    .map(({ name }) => `the settings of the member ${name} changed`);
}

export function changedFiles(before: HaproxyModel, after: HaproxyModel): readonly FileModel[] {
  return [...after.files.values()].filter(({ path, content }) => before.files.get(path)?.content !== content);
}

export function changedCertificates(before: HaproxyModel, after: HaproxyModel): readonly CertificateModel[] {
  return [...after.certificates.values()].filter(({ path, pem }) => before.certificates.get(path)?.pem !== pem);
}

/** The commands for the runtime socket, for a preview shown to people. Steps that wait for checks and sessions come last. */
export function commandsBetween(before: HaproxyModel, after: HaproxyModel): string[] {
  const files = changedFiles(before, after).map(({ path }) => `# the content of ${path}`);
  const certificates = changedCertificates(before, after).flatMap(({ path }) => [
    `set ssl cert ${path}`,
    `commit ssl cert ${path}`,
  ]);
  const added: string[] = [];
  const changed: string[] = [];
  const removed: string[] = [];
  for (const [name, { servers }] of after.backends) {
    const old = before.backends.get(name)?.servers ?? new Map<string, ServerModel>();
    for (const server of servers.values()) {
      const target = `${name}/${server.name}`;
      const known = old.get(server.name);
      if (known === undefined)
        added.push(addCommand(name, server), ...(server.checked ? [`enable health ${target}`] : []));
      if (known !== undefined && known.weight !== server.weight)
        changed.push(`set server ${target} weight ${server.weight}`);
      if (known?.state !== server.state) changed.push(`set server ${target} state ${stateWord(server)}`);
    }
    for (const server of old.keys())
      if (!servers.has(server))
        removed.push(`set server ${name}/${server} state maint`, `del server ${name}/${server}`);
  }
  return [...files, ...certificates, ...added, ...changed, ...removed];
}

function stateWord({ state }: ServerModel): string {
  return state === 'ENDED' ? 'maint' : state.toLowerCase();
}

/** Changes that can be made at once while the rest waits for a reload: servers and files of `after` in the structure of `before`. */
export function withoutReload(before: HaproxyModel, after: HaproxyModel): HaproxyModel {
  const waiting = filesThatWait(before, after);
  const isHeld = (path: string, text: string) => isLarge(text) || waiting.has(path);
  const renewed = [...after.certificates].filter(([path, { pem }]) => !isHeld(path, pem));
  const certificates = new Map([...before.certificates, ...renewed]);
  const kept = [...before.files].map(([path, file]) => {
    const next = after.files.get(path);
    return [path, next === undefined || isHeld(path, next.content) ? file : next] as const;
  });
  // New members may refer to them.
  const added = [...after.files].filter(
    ([path, { kind, content }]) => kind === 'AUTHORITIES' && !before.files.has(path) && !isLarge(content),
  );
  const files = new Map([...kept, ...added]);
  const isLoadable = ({ keywords }: ServerModel) =>
    keywords.every(
      (each) =>
        (files.has(each) || !after.files.has(each)) && (certificates.has(each) || !after.certificates.has(each)),
    );
  const backends = [...before.backends].map(([name, backend]) => {
    const next = after.backends.get(name);
    const servers = [...(next?.servers ?? backend.servers)].flatMap(([server, wanted]) => {
      const old = backend.servers.get(server);
      // It can't be checked with the keywords that it was added with.
      if (old !== undefined) return [[server, { ...wanted, keywords: old.keywords, checked: old.checked }] as const];
      // A new server has keywords for the future pool.
      const fits = next !== undefined && same(next.lines, backend.lines) && isLoadable(wanted);
      return fits ? [[server, wanted] as const] : [];
    });
    return [name, { ...backend, servers: new Map(servers) }] as const;
  });
  return { ...before, backends: new Map(backends), certificates, files };
}

/**
 * Files that a listener or pool refers to wait with it: new allowed clients, L7 rule values or certificates combined with the old listener
 * would be a state that nobody asked for.
 */
function filesThatWait(before: HaproxyModel, after: HaproxyModel): ReadonlySet<string> {
  const changed = [
    ...[...before.frontends.values()].filter(({ name, lines }) => !same(lines, after.frontends.get(name)?.lines)),
    ...[...before.backends.values()].filter(({ name, lines }) => !same(lines, after.backends.get(name)?.lines)),
  ];
  const lines = changed
    .flatMap((section) => section.lines)
    // The limit for failing open changes together with the members.
    .filter((line) => !line.includes('nbsrv('));
  const isNamed = (path: string) => lines.some((line) => line.includes(path));
  const files = [...before.files.keys()].filter(isNamed);
  const listed = files.flatMap((path) => [...listedIn(before.files.get(path)), ...listedIn(after.files.get(path))]);
  return new Set([...files, ...[...before.certificates.keys()].filter(isNamed), ...listed]);
}

function isLarge(text: string): boolean {
  return Buffer.byteLength(text) > mostPayloadBytes;
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
