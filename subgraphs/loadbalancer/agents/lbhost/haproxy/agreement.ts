// Compares the memory of a running HAProxy with a model: servers, certificates, their lists, authorities and patterns.
import { X509Certificate } from 'node:crypto';
import { type FileModel, type HaproxyModel, linesOf, structureOf } from '../../../rules/haproxy/model.ts';
import { runtimeWord } from '../../../rules/haproxy/quoting.ts';
import type { RuntimeSocket } from './runtime-socket.ts';
import { readServerStates } from './server-states.ts';

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Descriptions of the differences. */
export async function disagreementsOf(model: HaproxyModel, runtime: RuntimeSocket): Promise<string[]> {
  const found = await serverDifferences(model, runtime);
  const info = await runtime.ask('show info');
  if (/^description: (\S+)$/m.exec(info)?.[1] !== structureOf(model)) found.push('another configuration is running');
  for (const { path, pem } of model.certificates.values()) {
    const shown = /^SHA1 FingerPrint: (\S+)$/m.exec(await runtime.ask(`show ssl cert ${runtimeWord(path)}`))?.[1];
    // A certificate that nothing refers to is not loaded.
    if (shown !== undefined && shown !== fingerprintOf(pem)) found.push(`the certificate ${path} in memory differs`);
  }
  for (const file of model.files.values()) {
    const difference = await fileDifference(file, runtime);
    if (difference !== undefined) found.push(difference);
  }
  return found;
}

async function serverDifferences(model: HaproxyModel, runtime: RuntimeSocket): Promise<string[]> {
  const states = await readServerStates(runtime);
  const found: string[] = [];
  for (const [backend, servers] of states)
    for (const name of servers.keys())
      if (model.backends.get(backend)?.servers.has(name) !== true) found.push(`${backend}/${name} is not wanted`);
  for (const { name: backend, servers } of model.backends.values())
    for (const wanted of servers.values()) {
      const state = states.get(backend)?.get(wanted.name);
      const is = state && `${state.address} ${state.port} weight ${state.weight} ${state.admin}`;
      const admin = wanted.state === 'ENDED' ? 'MAINT' : wanted.state;
      const should = `${wanted.address} ${wanted.port} weight ${wanted.weight} ${admin}`;
      if (is !== should) found.push(`${backend}/${wanted.name} is ${is ?? 'missing'}, not ${should}`);
    }
  return found;
}

async function fileDifference({ kind, path, content }: FileModel, runtime: RuntimeSocket): Promise<string | undefined> {
  const lines = (text: string) => new Set(linesOf(text));
  const word = runtimeWord(path);
  const different = `${path} in memory differs`;
  switch (kind) {
    case 'PATTERNS': {
      const shown = await runtime.ask(`show acl ${word}`);
      const present = lines(shown.replaceAll(/^0x\S+ /gm, ''));
      return !same(lines(content), present) ? different : undefined;
    }
    case 'CERTIFICATE_LIST': {
      const shown = await runtime.ask(`show ssl crt-list -n ${word}`);
      const present = lines(shown.replace(/^#.*$/m, '').replaceAll(/:\d+$/gm, ''));
      return !same(lines(content), present) ? different : undefined;
    }
    case 'AUTHORITIES': {
      const shown = await runtime.ask(`show ssl ca-file ${word}`);
      if (!shown.startsWith('Filename')) return undefined;
      const present = new Set([...shown.matchAll(/^SHA1 FingerPrint: (\S+)$/gm)].map(([, print]) => print));
      const wanted = new Set((content.match(pemBlock) ?? []).map(fingerprintOf));
      return !same(wanted, present) ? different : undefined;
    }
    case 'ADMISSIONS': {
      const shown = await runtime.ask(`show map ${word}`);
      return !same(lines(content), lines(shown.replaceAll(/^0x\S+ /gm, ''))) ? different : undefined;
    }
    case 'REVOCATIONS':
      return undefined;
  }
}

/** SHA-1, the format in which HAProxy shows it. */
function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint.replaceAll(':', '');
}

function same(one: ReadonlySet<unknown>, other: ReadonlySet<unknown>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each));
}
