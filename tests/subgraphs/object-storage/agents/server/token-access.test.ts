// The project that a token is used for.
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { TokenAccess } from '../../../../../subgraphs/object-storage/agents/server/token-access.ts';
import { TokenSigner } from '../../../../../subgraphs/object-storage/wire/cluster-tokens.ts';
import type { VerifiedDocument } from '../../../../../subgraphs/object-storage/wire/documents/signed-document.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const bank = { id: 'b'.repeat(32), projectId: '0190d000-0000-7000-8000-00000000000b', name: 'bank', state: 'ACTIVE' };

function accessWith(...accounts: readonly (typeof bank)[]) {
  const access = new TokenAccess({
    mustNotBeIsolated: () => undefined,
    log: pino({ level: 'silent' }),
    store: {
      async find(kind, key) {
        const body = accounts.find(({ id }) => id === key);
        return body && { kind, key, generation: 1, body: JSON.stringify(body), signature: 'k/s' };
      },
    },
  });
  const clusters = { kind: 'clusters', name: 'clusters', body: { clusters: [{ number: 1, publicKey }] } };
  access.take(clusters as unknown as VerifiedDocument);
  const signer = new TokenSigner({ privateKey, lifetimeMinutes: 60 });
  const claims = {
    userId: '0190d000-0000-7000-8000-000000000001',
    name: 'olga',
    accounts: Object.fromEntries(accounts.map(({ id }) => [id, true])),
  };
  return async (project?: string) =>
    (await access.verify((await signer.sign(1, claims)).token, project))?.accountId.slice(0, 1);
}

test.each(['id', 'projectId'] as const)(
  'a project is not confused with another one whose name equals its %s',
  async (of) => {
    const trap = {
      id: 'a'.repeat(32),
      projectId: '0190d000-0000-7000-8000-00000000000a',
      name: bank[of],
      state: 'ACTIVE',
    };
    for (const chosen of [accessWith(trap, bank), accessWith(bank, trap)]) {
      expect(await chosen(bank.id)).toBe('b');
      expect(await chosen(bank.projectId)).toBe('b');
      expect(await chosen(encodeId('Project', bank.projectId))).toBe('b');
      expect(await chosen('bank')).toBe('b');
      expect(await chosen(trap.projectId)).toBe('a');
      await expect(chosen()).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
      await expect(chosen('other')).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    }
  },
);
