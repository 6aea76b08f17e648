// The first host's decision on a request to join, without its effects.
import { readPublicKey } from '../../platform/machines/authority.ts';
import {
  type HostFile,
  isComplete,
  isPresent,
  type JoinRequest,
  type Member,
  mostHosts,
  presentVoters,
} from './host-file.ts';
import { JoinRefusal } from './join-refusal.ts';
import { hashOf } from './join-token.ts';
import { refusedSerials } from './member-certificate.ts';
import { hasAllVotes } from './votes.ts';

/** The host's key. Throws JoinRefusal if one of its keys is no key. */
export function publicKeyOf({ publicKey, exchangeKey = '', servedKey }: JoinRequest): string {
  const read = readPublicKey(publicKey);
  if (read === undefined) throw new JoinRefusal('BAD_REQUEST', 'the key is not a P-256 public key');
  if (exchangeKey !== '' && readPublicKey(exchangeKey) === undefined)
    throw new JoinRefusal('BAD_REQUEST', 'the key for the exchange is not a P-256 public key');
  if (servedKey !== undefined && readPublicKey(servedKey) === undefined)
    throw new JoinRefusal('BAD_REQUEST', 'the key of "tidegate serve" is not a P-256 public key');
  return read;
}

/** The request for which a token is used. The token admits no other request later. */
export function useOf(request: JoinRequest, publicKey: string): string {
  const { name, address, kind, site = '', asynchronous = false, exchangeKey = '', servedKey } = request;
  const keys = servedKey === undefined ? [publicKey, exchangeKey] : [publicKey, exchangeKey, servedKey];
  return hashOf(JSON.stringify([name, address, kind, site, asynchronous, ...keys]));
}

/** The new member, and the former member whose place it takes. */
export function memberFor(
  { name, address, kind, site, asynchronous }: JoinRequest,
  present: readonly Member[],
  keySha256: string,
): { readonly member: Member; readonly left: Member | undefined } {
  const serverId = 1 + Math.max(...present.map((each) => each.serverId));
  const places = present.filter((each) => each.left === true);
  const left = places.find((each) => each.kind === kind) ?? (present.length === mostHosts ? places[0] : undefined);
  const place = { ...(site && { site }), ...(asynchronous === true && { asynchronous }) };
  // etcd has three members; further hosts use those.
  const own = { name, address, kind, serverId, ...place, ...(hasAllVotes(present) && { vote: false }) };
  const refused = [...refusedSerials(left)];
  return { member: { ...own, keySha256, ...(refused.length > 0 && { refused }) }, left };
}

export function refuseUnfit(file: HostFile, all: readonly Member[], { name, address, kind }: JoinRequest): void {
  const members = all.filter(isPresent);
  if (all.length === mostHosts && members.length === mostHosts)
    throw new JoinRefusal('COMPLETE', `the cluster has ${mostHosts} hosts already`);
  if (members.some((each) => each.name === name))
    throw new JoinRefusal('NAME_TAKEN', `another host is called ${name}: choose another --name`);
  if (members.some((each) => each.address === address) || file.virtualAddress?.split('/')[0] === address)
    throw new JoinRefusal('ADDRESS_TAKEN', `another host has the address ${address}`);
  if (kind === 'witness' && hasAllVotes(members))
    throw new JoinRefusal(
      'KIND_TAKEN',
      `${presentVoters(members)
        .map((each) => each.name)
        .join(', ')} vote, and a witness would have nothing to do: join without --witness`,
    );
  const hasWitness = members.some((each) => each.kind === 'witness');
  const data = members.filter((each) => each.kind === 'data').length;
  if (kind === 'witness' ? hasWitness : data >= 2 && !isComplete({ members: all }))
    throw new JoinRefusal(
      'KIND_TAKEN',
      kind === 'data'
        ? 'there are two data hosts: join with --witness first'
        : 'there is a witness: join without --witness',
    );
}
