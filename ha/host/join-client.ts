// Requests admission and the list of hosts from the first host.

import { X509Certificate } from 'node:crypto';
import { type RequestOptions, request } from 'node:https';
import { connect } from 'node:tls';
import { z } from 'zod';
import { fingerprintOf } from '../../platform/machines/authority.ts';
import { newMachineKeys } from '../../platform/machines/machine-keys.ts';
import { hostOf } from '../../platform/net/origin.ts';
import { type HostFile, type JoinRequest, joinAnswer, membersAnswer, renewAnswer, servedAnswer } from './host-file.ts';
import { JoinRefusal } from './join-refusal.ts';
import { authorityOfHostToken } from './join-token.ts';
import { openKeyFiles } from './key-exchange.ts';
import type { KeyFiles } from './key-files.ts';

type Keys = Awaited<ReturnType<typeof newMachineKeys>>;

const timeoutMs = 15_000;
const mostAnswerBytes = 1024 * 1024;
const tries = 3;

/** A lost answer may be requested again, with the same key. */
export async function joinCluster(
  url: URL,
  asked: Omit<JoinRequest, 'publicKey' | 'exchangeKey' | 'servedKey'>,
  { publicKey, privateKey }: Keys,
  exchange: Keys,
  serving?: Keys,
): Promise<{ readonly file: HostFile; readonly keyFiles: KeyFiles }> {
  const sha256 = authorityOfHostToken(asked.token);
  if (sha256 === undefined) throw new JoinRefusal('TOKEN_UNKNOWN', 'the token is not one of "tidegate ha init"');
  const authority = await authorityAt(url, sha256);
  const body = JSON.stringify({ ...asked, publicKey, exchangeKey: exchange.publicKey, servedKey: serving?.publicKey });
  for (let tried = 1; ; tried += 1) {
    try {
      const { shared, certificate, servedCertificate, members, keys } = joinAnswer.parse(
        await ask(new URL('/join', url), { ca: authority }, body),
      );
      if (fingerprintOf(shared.authority) !== sha256)
        throw new JoinRefusal('FOREIGN', 'the first host gave another authority');
      const keyFiles = keys === undefined ? {} : openKeyFiles(keys, exchange, asked.token);
      const own = { me: asked.name, certificate, key: privateKey, members, firstUrl: url.origin };
      const served =
        servedCertificate === undefined || serving === undefined
          ? {}
          : { served: { certificate: servedCertificate, key: serving.privateKey } };
      return { file: { ...shared, ...own, ...served }, keyFiles };
    } catch (error) {
      if (error instanceof JoinRefusal || tried === tries) throw error;
    }
  }
}

/** Fetches the list of hosts from the first one. */
export async function membersAt(file: HostFile): Promise<HostFile['members']> {
  const { authority: ca, certificate: cert, key } = file;
  return membersAnswer.parse(await ask(new URL('/members', file.firstUrl), { ca, cert, key })).members;
}

/** Fetches a certificate for `tidegate serve` on this host from the first host. */
export async function servedAt(file: HostFile): Promise<NonNullable<HostFile['served']>> {
  const { authority: ca, certificate: cert, key } = file;
  const { publicKey, privateKey } = await newMachineKeys();
  const answer = await ask(new URL('/served', file.firstUrl), { ca, cert, key }, JSON.stringify({ publicKey }));
  return { certificate: servedAnswer.parse(answer).certificate, key: privateKey };
}

/** Fetches new certificates for the same keys from the first host. */
export async function renewedAt(file: HostFile, servedKey: string | undefined): Promise<z.output<typeof renewAnswer>> {
  const { authority: ca, certificate: cert, key } = file;
  return renewAnswer.parse(
    await ask(new URL('/renew', file.firstUrl), { ca, cert, key }, JSON.stringify({ servedKey })),
  );
}

/** The authority's certificate at the URL, if its fingerprint matches the token. */
function authorityAt(url: URL, sha256: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // Sends no data on this connection. The next connection trusts only the certificate shown here.
    const socket = connect({
      host: hostOf(url),
      port: Number(url.port),
      rejectUnauthorized: false,
    });
    socket.setTimeout(timeoutMs, () =>
      socket.destroy(new Error(`${url.host} did not answer within ${timeoutMs / 1_000} s`)),
    );
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const { issuerCertificate } = socket.getPeerCertificate(true);
      socket.destroy();
      const pem = issuerCertificate?.raw === undefined ? '' : new X509Certificate(issuerCertificate.raw).toString();
      if (pem !== '' && fingerprintOf(pem) === sha256) return resolve(pem);
      reject(
        new JoinRefusal('FOREIGN', `${url.host} is not of the token's cluster: the connection may be intercepted`),
      );
    });
  });
}

function ask(url: URL, tls: Pick<RequestOptions, 'ca' | 'cert' | 'key'>, body?: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      ...tls,
      method: body === undefined ? 'GET' : 'POST',
      agent: false,
      timeout: timeoutMs,
    });
    sent.once('timeout', () => sent.destroy(new Error(`${url.host} did not answer within ${timeoutMs / 1_000} s`)));
    sent.once('error', reject);
    sent.once('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > mostAnswerBytes)
          sent.destroy(new Error(`${url.host} answers with more than ${mostAnswerBytes} bytes`));
      });
      answer.once('end', () => {
        try {
          const value: unknown = JSON.parse(text);
          if (answer.statusCode === 200) return resolve(value);
          const { code, message } = refusal.parse(value);
          reject(new JoinRefusal(code, message));
        } catch (error) {
          reject(error);
        }
      });
    });
    sent.end(body);
  });
}

const refusal = z.object({ code: z.string(), message: z.string() });
