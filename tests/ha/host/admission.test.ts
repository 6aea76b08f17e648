// The first host's decision about a request to join.
import { describe, expect, it } from '@jest/globals';
import { memberFor, publicKeyOf, refuseUnfit, useOf } from '../../../ha/host/admission.ts';
import type { HostFile, JoinRequest, Member } from '../../../ha/host/host-file.ts';
import { newMachineKeys } from '../../../platform/machines/machine-keys.ts';

const request: JoinRequest = {
  ...{ token: 't', name: 'new', address: '192.0.2.9', kind: 'data', publicKey: 'key', keyFiles: {} },
};

function member(name: string, serverId: number, changes: Partial<Member> = {}): Member {
  return { name, address: `192.0.2.${serverId}`, kind: 'data', serverId, keySha256: name, ...changes } as Member;
}

const beginning = [member('a', 1), member('b', 2), member('w', 3, { kind: 'witness' })];

describe('the keys of a request', () => {
  it('are P-256 public keys, and the refusal names the wrong one', async () => {
    const { publicKey } = await newMachineKeys();
    expect(publicKeyOf({ ...request, publicKey })).toContain('BEGIN PUBLIC KEY');
    expect(() => publicKeyOf(request)).toThrow('the key is not a P-256 public key');
    expect(() => publicKeyOf({ ...request, publicKey, exchangeKey: 'no' })).toThrow('the key for the exchange');
    expect(() => publicKeyOf({ ...request, publicKey, servedKey: 'no' })).toThrow('the key of "tidegate serve"');
  });
});

describe('the use of a token', () => {
  it('is the same for an omitted option and its default', () => {
    expect(useOf({ ...request, site: undefined, asynchronous: undefined }, 'k')).toBe(
      useOf({ ...request, site: '', asynchronous: false, exchangeKey: '' } as JoinRequest, 'k'),
    );
  });

  it.each<Partial<JoinRequest>>([
    ...[{ name: 'other' }, { address: '192.0.2.8' }, { kind: 'witness' as const }, { site: 'east' }],
    ...[{ asynchronous: true }, { exchangeKey: 'e' }, { servedKey: 's' }],
  ])('is another use with %j', (changes) => {
    expect(useOf({ ...request, ...changes }, 'k')).not.toBe(useOf(request, 'k'));
  });
});

describe('the place of a new member', () => {
  it('has the next number, and a vote while there are fewer than three', () => {
    const { member: made, left } = memberFor(request, beginning.slice(0, 2), 'sha');
    expect(made).toEqual({ name: 'new', address: '192.0.2.9', kind: 'data', serverId: 3, keySha256: 'sha' });
    expect(left).toBeUndefined();
  });

  it('has no vote when three hosts vote', () => {
    expect(memberFor({ ...request, site: 'east', asynchronous: true }, beginning, 'sha').member).toMatchObject({
      ...{ serverId: 4, vote: false, site: 'east', asynchronous: true },
    });
  });

  it('is that of a departed host of the same kind, whose certificates stay refused', () => {
    const gone = member('b', 2, { left: true, serials: ['1F'] });
    const { member: made, left } = memberFor(request, [beginning[0] as Member, gone, beginning[2] as Member], 'sha');
    expect(left).toBe(gone);
    expect(made).toMatchObject({ serverId: 4, refused: ['1F'] });
  });

  it('is that of a departed host of another kind only if there is no other room', () => {
    const gone = member('w', 3, { kind: 'witness', left: true });
    const four = [...beginning.slice(0, 2), gone, member('c', 4)];
    expect(memberFor(request, four, 'sha').left).toBeUndefined();
    expect(memberFor(request, [...four, member('d', 5)], 'sha').left).toBe(gone);
  });
});

describe('a host that does not fit', () => {
  const file = { members: beginning, virtualAddress: '192.0.2.100/24' } as unknown as HostFile;
  const refusal = (changes: Partial<JoinRequest>, members: readonly Member[] = beginning) => {
    try {
      refuseUnfit(file, members, { ...request, ...changes });
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };

  it('is refused, and the message names the value that is taken', () => {
    expect(refusal({})).toBeUndefined();
    expect(refusal({ name: 'a' })).toBe('NAME_TAKEN');
    expect(refusal({ address: '192.0.2.2' })).toBe('ADDRESS_TAKEN');
    expect(refusal({ address: '192.0.2.100' })).toBe('ADDRESS_TAKEN');
    expect(refusal({ kind: 'witness' })).toBe('KIND_TAKEN');
    expect(refusal({}, beginning.slice(0, 2))).toBe('KIND_TAKEN');
    expect(refusal({}, [...beginning, member('c', 4), member('d', 5)])).toBe('COMPLETE');
  });

  it('may have the name and the address of a departed host', () => {
    expect(
      refusal({ name: 'c', address: '192.0.2.4' }, [...beginning, member('c', 4, { left: true })]),
    ).toBeUndefined();
  });
});
