// From one model to another: what can be changed on the runtime socket, and what needs a reload, with its reasons. Servers are not
// compared here, as they are brought to the model by what HAProxy itself says of them (servers.ts).
import { type CertificateModel, type FileModel, type HaproxyModel, listedIn, type ServerModel } from './model.ts';
import { word } from './quoting.ts';
import { addCommand } from './servers.ts';

/** HAProxy takes a command with its payload into one buffer (tune.bufsize, 16 KiB). */
export const mostPayloadBytes = 15_000;

/** Empty: the runtime socket is enough. */
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

/** A server that stays has the keywords with which it was made. */
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

/** What the runtime socket is told where it is enough, for people: what waits for checks and sessions comes last. */
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

/** What can be brought about at once while the rest waits for its reload: servers and files of `after` in the structure of `before`. */
export function withoutReload(before: HaproxyModel, after: HaproxyModel): HaproxyModel {
  const waiting = filesThatWait(before, after);
  const isHeld = (path: string, text: string) => isLarge(text) || waiting.has(path);
  const renewed = [...after.certificates].filter(([path, { pem }]) => !isHeld(path, pem));
  const certificates = new Map([...before.certificates, ...renewed]);
  const kept = [...before.files].map(([path, file]) => {
    const next = after.files.get(path);
    return [path, next === undefined || isHeld(path, next.content) ? file : next] as const;
  });
  // New members may name them.
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
      // It can't be checked as it was made.
      if (old !== undefined) return [[server, { ...wanted, keywords: old.keywords, checked: old.checked }] as const];
      // A new one has keywords for the pool as it will be.
      const fits = next !== undefined && same(next.lines, backend.lines) && isLoadable(wanted);
      return fits ? [[server, wanted] as const] : [];
    });
    return [name, { ...backend, servers: new Map(servers) }] as const;
  });
  return { ...before, backends: new Map(backends), certificates, files };
}

/**
 * What a listener names waits with it: clients that are let in, the value of an L7 rule or a certificate would, with the listener as it was,
 * make what nobody has asked for.
 */
function filesThatWait(before: HaproxyModel, after: HaproxyModel): ReadonlySet<string> {
  const lines = [...before.frontends.values()]
    .filter((frontend) => !same(frontend.lines, after.frontends.get(frontend.name)?.lines))
    .flatMap((frontend) => frontend.lines)
    // How many members are too few goes with the members.
    .filter((line) => !line.includes('nbsrv('));
  const isNamed = (path: string) => lines.some((line) => line.includes(word(path)));
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
