// The first host of a cluster admits the others: it issues their certificates and sends them the shared settings and the list of
// hosts.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { z } from 'zod';
import { readPublicKey } from '../../platform/machines/authority.ts';
import { certify } from '../../platform/net/certificates.ts';
import { requireOneHost } from '../../platform/net/one-host.ts';
import { type HaKeys, haKeys } from '../agent/keys.ts';
import { type EtcdClient, EtcdError } from '../etcd.ts';
import { memberFor, publicKeyOf, refuseUnfit, useOf } from './admission.ts';
import { isDue, renewedAuthority } from './certificate-life.ts';
import { etcdOf } from './cluster-client.ts';
import {
  changeHostFile,
  type HostFile,
  hostsOfBeginning,
  isComplete,
  isPresent,
  type JoinRequest,
  joinRequest,
  type Member,
  ports,
  readHostFile,
  type renewAnswer,
  renewRequest,
  servedRequest,
  sharedOf,
} from './host-file.ts';
import { JoinRefusal } from './join-refusal.ts';
import { hashOf } from './join-token.ts';
import { sealKeyFiles } from './key-exchange.ts';
import { readKeyFiles, refuseDifferent } from './key-files.ts';
import {
  hostCommonName,
  hostUri,
  keyFingerprint,
  memberWith,
  mostSerials,
  shownBy,
  withSerials,
} from './member-certificate.ts';
import { listedIn } from './votes.ts';

interface FirstHostOptions {
  readonly dataPath: string;
  readonly address: string;
  /** Folder of the key files that data hosts get. */
  readonly keyFolder: string;
}

const mostBodyBytes = 16 * 1024;
const mostConnections = 20;
const timeoutMs = 10_000;
export const certificateDays = 3_650;

export class FirstHost {
  readonly #dataPath: string;
  readonly #keyFolder: string;
  readonly #server: Server;
  /** Serialises admissions, because each changes the file. */
  #admitting: Promise<unknown> = Promise.resolve();

  private constructor(dataPath: string, keyFolder: string, { authority, certificate, key }: HostFile) {
    this.#dataPath = dataPath;
    this.#keyFolder = keyFolder;
    this.#server = createServer(
      {
        ...{ cert: `${certificate}${authority}`, key, ca: authority, requestCert: true, rejectUnauthorized: false },
        ...{ requestTimeout: timeoutMs, headersTimeout: timeoutMs },
      },
      (asked, answer) => {
        this.#answer(asked, answer).catch((error: unknown) => {
          const refusal =
            error instanceof JoinRefusal ? error : new JoinRefusal('INTERNAL', 'the first host failed: read its log');
          send(answer, 400, { code: refusal.code, message: refusal.message });
        });
      },
    );
    requireOneHost(this.#server);
    this.#server.maxConnections = mostConnections;
    this.#server.on('tlsClientError', () => undefined);
  }

  static async open({ dataPath, address, keyFolder }: FirstHostOptions): Promise<FirstHost> {
    const made = new FirstHost(dataPath, keyFolder, await readHostFile(dataPath));
    made.#server.listen(ports.join, address);
    await once(made.#server, 'listening');
    return made;
  }

  /** New connections get the host's new certificate. */
  use({ authority, certificate, key }: Pick<HostFile, 'authority' | 'certificate' | 'key'>): void {
    this.#server.setSecureContext({ cert: `${certificate}${authority}`, key, ca: authority });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (asked.method === 'POST' && asked.url === '/join') {
      const request = joinRequest.safeParse(JSON.parse(await bodyOf(asked)));
      if (!request.success)
        throw new JoinRefusal(
          'BAD_REQUEST',
          'the request to join has not its form: use the same Tidegate on all hosts',
        );
      const admitting = this.#admitting
        .catch(() => undefined)
        .then(() => admit(this.#dataPath, this.#keyFolder, request.data));
      this.#admitting = admitting;
      return send(answer, 200, await admitting);
    }
    if (asked.url === '/members') {
      const { members } = (await this.#asMember(asked)).file;
      return send(answer, 200, { members });
    }
    if (asked.method === 'POST' && asked.url === '/served') {
      const { file, member } = await this.#asMember(asked);
      const request = servedRequest.safeParse(JSON.parse(await bodyOf(asked)));
      const publicKey = request.success ? readPublicKey(request.data.publicKey) : undefined;
      if (publicKey === undefined || file.first === undefined)
        throw new JoinRefusal('BAD_REQUEST', 'the key is not a P-256 public key');
      const issuer = { cert: file.authority, key: file.first.authorityKey };
      const certificate = await certifyServed({ name: member.name, publicKey }, issuer);
      const noting = this.#admitting.catch(() => undefined).then(() => note(this.#dataPath, member, certificate));
      this.#admitting = noting;
      await noting;
      return send(answer, 200, { certificate });
    }
    if (asked.method === 'POST' && asked.url === '/renew') {
      const { member } = await this.#asMember(asked);
      const request = renewRequest.safeParse(JSON.parse(await bodyOf(asked)));
      const publicKey = shownBy(asked.socket)?.publicKey.export({ type: 'spki', format: 'pem' }).toString();
      if (!request.success || publicKey === undefined)
        throw new JoinRefusal('BAD_REQUEST', 'the request has not its form: use the same Tidegate on all hosts');
      const { servedKey } = request.data;
      if (servedKey !== undefined && readPublicKey(servedKey) === undefined)
        throw new JoinRefusal('BAD_REQUEST', 'the key is not a P-256 public key');
      const renewing = this.#admitting
        .catch(() => undefined)
        .then(() => renewFor(this.#dataPath, member, publicKey, servedKey));
      this.#admitting = renewing;
      return send(answer, 200, await renewing);
    }
    throw new JoinRefusal('NO_SUCH_PATH', 'there is no such path');
  }

  /** Throws JoinRefusal unless the peer is a current host of the cluster. */
  async #asMember({ socket }: IncomingMessage): Promise<{ readonly file: HostFile; readonly member: Member }> {
    const file = await readHostFile(this.#dataPath);
    const isSigned = (socket as TLSSocket).authorized;
    const member = isSigned ? memberWith(shownBy(socket), file.members) : undefined;
    if (member === undefined) throw new JoinRefusal('NO_CERTIFICATE', 'only hosts of the cluster may ask');
    return { file, member };
  }
}

/** A request with a valid token and valid keys. */
interface Admitting {
  readonly dataPath: string;
  readonly file: HostFile;
  readonly request: JoinRequest;
  readonly issuer: Issuer;
  readonly publicKey: string;
  readonly keySha256: string;
  readonly token: { readonly sha256: string; readonly usedFor: string };
  /** The key files that the host gets. */
  readonly files: Awaited<ReturnType<typeof readKeyFiles>>;
  readonly isIt: (member: Member) => boolean;
}

async function admit(dataPath: string, keyFolder: string, request: JoinRequest): Promise<object> {
  const file = await readHostFile(dataPath);
  const { first, authority } = file;
  if (first === undefined) throw new JoinRefusal('NOT_FIRST', `${file.me} is not the first host: join there`);
  const given = first.tokens.find(({ sha256 }) => sha256 === hashOf(request.token));
  if (given === undefined) throw new JoinRefusal('TOKEN_UNKNOWN', 'the token is of another cluster, or was replaced');
  const { name, address, kind } = request;
  const publicKey = publicKeyOf(request);
  const usedFor = useOf(request, publicKey);
  if (given.usedFor !== undefined && given.usedFor !== usedFor)
    throw new JoinRefusal(
      'TOKEN_USED',
      'the token was used before: get another one with "tidegate ha invite" at the first host',
    );
  const keySha256 = keyFingerprint(publicKey);
  const admitting: Admitting = {
    ...{ dataPath, file, request, publicKey, keySha256, token: { sha256: given.sha256, usedFor } },
    issuer: { cert: authority, key: first.authorityKey },
    // A witness has no secrets.
    files: kind === 'data' ? await readKeyFiles(keyFolder) : {},
    isIt: (each) => isPresent(each) && each.name === name && each.address === address && each.keySha256 === keySha256,
  };
  if (given.usedFor === undefined) {
    if (Date.parse(given.expiresAt) < Date.now())
      throw new JoinRefusal(
        'TOKEN_EXPIRED',
        `the token was valid until ${given.expiresAt}: get another one with "tidegate ha invite"`,
      );
    return admitFirst(admitting);
  }
  // Its answer was lost.
  const member = file.members.find(admitting.isIt);
  // Another host may have the same name by now.
  if (member === undefined)
    throw new JoinRefusal('TOKEN_USED', `${name} has joined with this token, and has left since`);
  return answerTo(member, admitting);
}

/** The first request with its token. */
async function admitFirst(admitting: Admitting): Promise<object> {
  const { dataPath, file, request, issuer, publicKey, keySha256, token, files, isIt } = admitting;
  // From then on etcd runs, and its list takes precedence.
  const etcd = isComplete(file) ? etcdOf(file) : undefined;
  using _closing = { [Symbol.dispose]: () => etcd?.close() };
  const listed = etcd === undefined ? undefined : await asked(listedIn(etcd, haKeys(file.cluster)));
  const present = listed?.members ?? file.members;
  const keep = (members: readonly Member[]) =>
    changeHostFile(dataPath, (now) => ({ ...now, members: [...members], ...withUsed(now, token) }));
  // The host was listed, but the process was killed before it recorded the use of the token.
  const before = present.find(isIt);
  if (before !== undefined) {
    await keep(present);
    return answerTo(before, admitting);
  }
  refuseUnfit(file, present, request);
  // Before the token is used up.
  refuseDifferent(files, request.keyFiles);
  const { member, left } = memberFor(request, present, keySha256);
  const made = await certificatesFor(member, issuer, publicKey, request.servedKey);
  const members = [...present.filter((each) => each !== left), withSerials(member, ...Object.values(made))];
  if (etcd !== undefined) await asked(tellHosts(etcd, haKeys(file.cluster), members, listed?.revision ?? 0));
  await keep(members);
  return answerWith(made, admitting);
}

async function answerTo(member: Member, admitting: Admitting): Promise<object> {
  const { dataPath, issuer, publicKey, request } = admitting;
  const made = await certificatesFor(member, issuer, publicKey, request.servedKey);
  await note(dataPath, member, ...Object.values(made));
  return answerWith(made, admitting);
}

async function answerWith(
  certificates: Awaited<ReturnType<typeof certificatesFor>>,
  { dataPath, file, files, request: { exchangeKey = '', token } }: Admitting,
): Promise<object> {
  const { members } = await readHostFile(dataPath);
  // For a host of an earlier version. A number above the number of members exists only after a host has left.
  const joinsLate = members.some(({ serverId }) => serverId > members.length);
  const isAsked = exchangeKey !== '' && Object.keys(files).length > 0;
  const keys = isAsked ? await sealKeyFiles(files, exchangeKey, token) : undefined;
  return { shared: sharedOf(file), ...certificates, members, joinsLate, keys };
}

/** Records further certificates of a member. The other hosts refuse them, too, after it has left. */
async function note(dataPath: string, member: Member, ...certificates: readonly string[]): Promise<void> {
  const isIt = ({ name, serverId }: Member) => name === member.name && serverId === member.serverId;
  const noted = (members: readonly Member[]) =>
    members.map((each) => (isIt(each) ? withSerials(each, ...certificates) : each));
  const file = await readHostFile(dataPath);
  const { serials = [] } = file.members.find(isIt) ?? {};
  // Earlier certificates stay recorded; otherwise they could not be refused later.
  if (serials.length + certificates.length > mostSerials)
    throw new JoinRefusal(
      'TOO_MANY_CERTIFICATES',
      `${member.name} has had ${serials.length} certificates: let it leave, and join again with "tidegate ha invite"`,
    );
  if (isComplete(file)) await noteInList(file, member, noted);
  await changeHostFile(dataPath, (now) => ({ ...now, members: noted(now.members) }));
}

/** The list in etcd takes precedence over the list of each host. */
async function noteInList(
  file: HostFile,
  { serverId }: Member,
  noted: (members: readonly Member[]) => readonly Member[],
): Promise<void> {
  const etcd = etcdOf(file);
  using _closing = { [Symbol.dispose]: () => etcd.close() };
  const keys = haKeys(file.cluster);
  const telling = listedIn(etcd, keys).then((listed) =>
    tellHosts(etcd, keys, noted(listed?.members ?? file.members), listed?.revision ?? 0),
  );
  // The first hosts need their certificates before etcd can run. In that case they have this host's list.
  const mayWait = serverId <= hostsOfBeginning;
  await asked(telling).catch((error: unknown) => {
    if (!mayWait || !(error instanceof JoinRefusal) || error.code !== 'NO_MAJORITY') throw error;
  });
}

/** Records that a token was used. Keeps tokens that were issued in the meantime. */
function withUsed({ first }: HostFile, { sha256, usedFor }: Admitting['token']): Pick<HostFile, 'first'> {
  if (first === undefined) return {};
  const tokens = first.tokens.map((each) => (each.sha256 === sha256 ? { ...each, usedFor } : each));
  return { first: { ...first, tokens } };
}

interface Issuer {
  readonly cert: string;
  readonly key: string;
}

/** `servedKey`: the key of `tidegate serve` on the host. */
async function certificatesFor(
  member: Member,
  issuer: Issuer,
  publicKey: string,
  servedKey: string | undefined,
): Promise<{ readonly certificate: string; readonly servedCertificate?: string }> {
  const { name, address } = member;
  const certificate = await certify({
    ...{ publicKey, issuer, commonName: hostCommonName(member), uri: hostUri(name) },
    ...{ addresses: [address], days: certificateDays },
  });
  if (servedKey === undefined) return { certificate };
  return { certificate, servedCertificate: await certifyServed({ name, publicKey: servedKey }, issuer) };
}

/**
 * New certificates of a member for the same keys. The authority's own one is renewed with its key once it is due, so that it remains the
 * issuer of all earlier certificates. Called on the first host.
 */
export async function renewFor(
  dataPath: string,
  member: Member,
  publicKey: string,
  servedKey: string | undefined,
): Promise<z.output<typeof renewAnswer>> {
  const now = await readHostFile(dataPath);
  const { first } = now;
  if (first === undefined) throw new JoinRefusal('NOT_FIRST', `${now.me} is not the first host: ask there`);
  const authority = isDue(now.authority) ? await renewedAuthority(now.authority, first.authorityKey) : now.authority;
  const made = await certificatesFor(member, { cert: authority, key: first.authorityKey }, publicKey, servedKey);
  await note(dataPath, member, ...Object.values(made));
  await changeHostFile(dataPath, (file) => ({ ...file, authority }));
  return { authority, ...made };
}

/** The certificate belongs to no host, and only allows queries to etcd. */
export function certifyServed(
  { name, publicKey }: { readonly name: string; readonly publicKey: string },
  issuer: Issuer,
): Promise<string> {
  const uri = `urn:tidegate-serve:${name}`;
  return certify({ publicKey, issuer, commonName: `${name} serve`, uri, days: certificateDays });
}

/** Announces the new host to the running hosts. If it has a vote, it becomes a member of etcd then. */
async function tellHosts(etcd: EtcdClient, keys: HaKeys, members: readonly Member[], revision: number): Promise<void> {
  const { done } = await etcd.transact(
    [{ key: keys.members, revision }],
    [{ put: keys.members, value: JSON.stringify(members) }],
  );
  if (!done) throw new JoinRefusal('CONFLICT', 'the hosts have changed in the meantime: repeat the command');
}

async function asked<Value>(answer: Promise<Value>): Promise<Value> {
  return answer.catch((error: unknown) => {
    if (!(error instanceof EtcdError)) throw error;
    throw new JoinRefusal('NO_MAJORITY', `etcd does not take the new host: ${error.message}`);
  });
}

async function bodyOf(asked: IncomingMessage): Promise<string> {
  let text = '';
  asked.setEncoding('utf8');
  for await (const part of asked) {
    text += part;
    if (text.length > mostBodyBytes)
      throw new JoinRefusal('BAD_REQUEST', `the request has more than ${mostBodyBytes} bytes`);
  }
  return text;
}

function send(answer: ServerResponse, status: number, value: object): void {
  answer.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(value));
}
