// Login, refresh and logout on a real database: the answers, and the state of a session.
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DiskSpace } from '../../../../../platform/database/disk-space.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { CredentialStore } from '../../../../../subgraphs/system/control/access/credential-store.ts';
import { newRefreshToken } from '../../../../../subgraphs/system/control/access/secrets.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { makeUser, systemBench } from '../../support/system-bench.ts';

const password = 'correct horse battery';
const bench = forFile(() => systemBench());
let address: string;
let addresses = 0;

beforeAll(async () => {
  await makeUser(bench, 'alice', { password });
});

// Attempts are counted by address, so each test has its own.
beforeEach(() => {
  addresses += 1;
  address = `192.0.2.${addresses}`;
});

const pair =
  'accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt userErrors { code message field retry retryAfterMs }';
const loginMutation = `mutation ($name: String!, $password: String!) { login(input: { name: $name, password: $password }) { ${pair} } }`;
const refreshMutation = `mutation ($token: String!) { sessionRefresh(input: { refreshToken: $token }) { ${pair} } }`;

async function login(name = 'alice', secret = password, from = address) {
  return (await bench.ask(null, loginMutation, { name, password: secret }, from)).data.login;
}

async function refresh(token: string | null | undefined) {
  return (await bench.ask(null, refreshMutation, { token }, address)).data.sessionRefresh;
}

async function worth(accessToken: string | null | undefined) {
  return bench.system.authenticator.authenticate(accessToken ?? '');
}

class FillableDisk extends DiskSpace {
  isFull = false;

  override freeBytes(): number {
    return this.isFull ? 0 : Number.POSITIVE_INFINITY;
  }
}

test('on a full disk right passwords do not count as failed attempts', async () => {
  const disk = new FillableDisk('/');
  const full = await systemBench({ disk });
  try {
    await makeUser(full, 'bob', { password });
    const ask = async (secret: string) => {
      const input = { name: 'bob', password: secret };
      const answer = await full.ask(null, loginMutation, input, address);
      return answer.data?.login?.userErrors[0]?.code ?? answer.codes[0] ?? null;
    };
    disk.isFull = true;
    for (let count = 0; count < 15; count += 1) expect(await ask(password)).toBe('DISK_FULL');
    disk.isFull = false;
    expect(await ask(password)).toBeNull();
    // Wrong ones still count, also while the disk is full.
    disk.isFull = true;
    const codes = [];
    for (let count = 0; count < 12; count += 1) codes.push(await ask('wrong password'));
    expect(codes.at(-1)).toBe('RATE_LIMITED');
  } finally {
    await full.stop();
  }
});

test('refusals from any number of networks do not fill the audit trail, which counts those that it leaves out', async () => {
  const flooded = await systemBench();
  try {
    const attempt = (network: number) =>
      flooded.ask(null, refreshMutation, { token: 'invented' }, `10.${network % 250}.${Math.floor(network / 250)}.1`);
    const codes = new Set<unknown>();
    for (let network = 0; network < 1_100; network += 1)
      for (const { code } of (await attempt(network)).data.sessionRefresh.userErrors) codes.add(code);
    expect([...codes]).toEqual(['BAD_CREDENTIALS']);
    const count = async () => {
      const sql = "SELECT COUNT(*) AS count FROM audit_entry WHERE action = 'sessionRefresh' AND outcome = 'REFUSED'";
      return Number((await flooded.db.query<{ count: number }>(sql))[0]?.count);
    };
    const kept = await count();
    expect(kept).toBeGreaterThanOrEqual(1_000);
    expect(kept).toBeLessThan(1_100);
    await waitFor('the next entry', async () => {
      await attempt(2_000);
      return (await count()) > kept;
    });
    const [last] = await flooded.db.query<{ details: string }>(
      'SELECT details FROM audit_entry ORDER BY id DESC LIMIT 1',
    );
    expect(JSON.parse(last?.details ?? '')).toMatchObject({ refusalsNotKept: expect.any(Number) });
  } finally {
    await flooded.stop();
  }
});

test('a login that is not compared because too many wait is not a failed attempt', async () => {
  bench.hasher.isBusy = true;
  try {
    for (let count = 0; count < 15; count += 1)
      expect((await login()).userErrors).toMatchObject([{ code: 'RATE_LIMITED', retryAfterMs: 1_000 }]);
  } finally {
    bench.hasher.isBusy = false;
  }
  expect((await login()).userErrors).toEqual([]);
});

describe('login', () => {
  test('returns tokens that identify the user', async () => {
    const tokens = await login();
    expect(tokens.userErrors).toEqual([]);
    const identity = await worth(tokens.accessToken);
    expect(identity).toMatchObject({ kind: 'user', name: 'alice', admin: false, projects: {} });
    const me = await bench.ask(identity ?? null, '{ me { name admin projects { role } } }');
    expect(me.data).toEqual({ me: { name: 'alice', admin: false, projects: [] } });
  });

  test('gives the same answer for a wrong password and for an unknown, disabled or misspelt user, and hashes for each', async () => {
    await makeUser(bench, 'gone', { password });
    await bench.db.execute("UPDATE user SET disabled = 1 WHERE name = 'gone'");
    const answers = [];
    for (const [name, secret] of [
      ['alice', 'wrong password'],
      ['nobody', password],
      ['gone', password],
      ['alice ', password],
      ['x'.repeat(5_000), password],
    ] as const) {
      const before = bench.hasher.verified;
      answers.push(await login(name, secret));
      expect(bench.hasher.verified - before).toBe(1);
    }
    const refused = {
      accessToken: null,
      accessTokenExpiresAt: null,
      refreshToken: null,
      refreshTokenExpiresAt: null,
      userErrors: [
        {
          code: 'BAD_CREDENTIALS',
          message: 'the name or the password is wrong',
          field: [],
          retry: 'NEVER',
          retryAfterMs: null,
        },
      ],
    };
    expect(answers).toEqual(answers.map(() => refused));
  });

  test('is limited by name and address: ten failures, and only there', async () => {
    for (let attempt = 1; attempt <= 10; attempt += 1)
      expect((await login('alice', 'wrong password')).userErrors[0]?.code).toBe('BAD_CREDENTIALS');
    const before = bench.hasher.verified;
    const [error] = (await login()).userErrors;
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retry: 'SAME_KEY' });
    expect(error?.retryAfterMs).toBeGreaterThan(0);
    expect(bench.hasher.verified).toBe(before);
    expect((await login('alice', password, '198.51.100.1')).userErrors).toEqual([]);
  });

  test('is limited by address: a hundred failures, with any names', async () => {
    for (let attempt = 1; attempt <= 100; attempt += 1) await login(`guess-${attempt}`, 'wrong password');
    expect((await login()).userErrors).toMatchObject([{ code: 'RATE_LIMITED' }]);
  });

  test('guesses from many networks at one name make others wait, except a network from which the name has logged in', async () => {
    await makeUser(bench, 'sought', { password });
    expect((await login('sought', password, '203.0.113.1')).userErrors).toEqual([]);
    for (let guess = 0; guess < 100; guess += 1)
      expect(
        (await login('sought', 'wrong password', `198.51.100.${100 + Math.floor(guess / 10)}`)).userErrors,
      ).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
    expect((await login('sought', 'wrong password', '198.51.100.200')).userErrors).toMatchObject([
      { code: 'RATE_LIMITED' },
    ]);
    expect((await login('sought', password, '203.0.113.2')).userErrors).toMatchObject([{ code: 'RATE_LIMITED' }]);
    for (let again = 0; again < 3; again += 1)
      expect((await login('sought', password, '203.0.113.1')).userErrors).toEqual([]);
    expect((await login('alice', password, '203.0.113.2')).userErrors).toEqual([]);
  });

  test("forwarded addresses lock out no client whose address is seen directly, and each proxy's total is limited", async () => {
    const guess = async (toldBy: string, address: string, name: string) => {
      const answer = await bench.system.checkLogin({ name, password: 'wrong' }, { address, toldBy, via: 'a test' });
      return 'refused' in answer ? answer.refused.code : 'none';
    };
    for (let attempt = 1; attempt <= 10; attempt += 1)
      expect(await guess('north', '198.51.100.9', 'alice')).toBe('BAD_CREDENTIALS');
    // The client is the same, whichever proxy reports its address.
    expect(await guess('south', '198.51.100.9', 'alice')).toBe('RATE_LIMITED');
    expect((await login('alice', password, '198.51.100.9')).userErrors).toEqual([]);
    for (let attempt = 11; attempt <= 300; attempt += 1)
      expect(await guess('north', `10.0.${attempt}.1`, `guess-${attempt}`)).toBe('BAD_CREDENTIALS');
    for (let attempt = 0; attempt < 11; attempt += 1)
      expect(await guess('north', '10.1.0.1', 'somebody')).toBe('RATE_LIMITED');
    // Attempts beyond the proxy's limit count against no one.
    expect(await guess('south', '10.1.0.1', 'somebody')).toBe('BAD_CREDENTIALS');
  });

  test('that succeeds does not count', async () => {
    for (let attempt = 1; attempt <= 12; attempt += 1) expect((await login()).userErrors).toEqual([]);
  });

  test('makes no session for a user who changed since the password was compared', async () => {
    const user = await makeUser(bench, 'racer', { password });
    const credentials = new CredentialStore(bench.db);
    const session = { id: newUuid(), userId: user.id, userVersion: 1, refreshHash: newUuid(), familyHash: newUuid() };
    await bench.db.execute('UPDATE user SET version = 2 WHERE id = ?', [user.id]);
    expect(await bench.db.transaction((tx) => credentials.begin(tx, session))).toBeUndefined();
    expect(await credentials.bySession(session.id)).toBeUndefined();
  });

  test('beyond 1000 sessions of a user ends the one with the oldest refresh', async () => {
    const user = await makeUser(bench, 'collector', { password });
    const [unused, used] = [await login('collector'), await login('collector')];
    // `makeUser` makes a session too.
    await bench.db.execute('DELETE FROM session WHERE id = ?', [user.credentialId]);
    await bench.db.execute(
      `INSERT INTO session (id, user_id, refresh_hash, expires_at)
       SELECT UUID(), ?, SHA2(CONCAT('filler ', seq), 256), NOW(3) + INTERVAL 7 DAY FROM seq_1_to_998`,
      [user.id],
    );
    const refreshed = await refresh(used.refreshToken);
    const last = await login('collector');
    const worths = [];
    for (const { accessToken } of [unused, refreshed, last]) worths.push((await worth(accessToken))?.name);
    expect(worths).toEqual([undefined, 'collector', 'collector']);
    const [row] = await bench.db.query<{ count: number }>('SELECT COUNT(*) AS count FROM session WHERE user_id = ?', [
      user.id,
    ]);
    expect(Number(row?.count)).toBe(1000);
    const [entry] = await bench.db.query<{ details: string }>(
      "SELECT details FROM audit_entry WHERE action = 'login' ORDER BY id DESC LIMIT 1",
    );
    expect(JSON.parse(entry?.details ?? '')).toEqual({ clientAddress: address, sessionsEnded: 1 });
  });

  test('of one user many times at once succeeds each time, also at the limit', async () => {
    const user = await makeUser(bench, 'hasty', { password });
    await bench.db.execute(
      `INSERT INTO session (id, user_id, refresh_hash, expires_at)
       SELECT UUID(), ?, SHA2(CONCAT('hasty ', seq), 256), NOW(3) + INTERVAL 6 DAY FROM seq_1_to_1000`,
      [user.id],
    );
    const answers = await Promise.all(Array.from({ length: 8 }, () => login('hasty')));
    expect(answers.flatMap(({ userErrors }) => userErrors)).toEqual([]);
    for (const { accessToken } of answers) expect(await worth(accessToken)).toMatchObject({ name: 'hasty' });
  });

  test('is audited with the user; a refused one only with the name', async () => {
    await login();
    await login('mallory', 'my secret guess');
    const rows = await bench.db.query<{ actor: string; outcome: string; code: string | null; details: string }>(
      "SELECT actor_name AS actor, outcome, code, details FROM audit_entry WHERE action = 'login' ORDER BY id DESC LIMIT 2",
    );
    expect(rows.map(({ details: _, ...row }) => row)).toEqual([
      { actor: '', outcome: 'REFUSED', code: 'BAD_CREDENTIALS' },
      { actor: 'alice', outcome: 'ACCEPTED', code: null },
    ]);
    expect(rows.map(({ details }) => JSON.parse(details))).toEqual([
      { name: 'mallory', clientAddress: address },
      { clientAddress: address },
    ]);
  });
});

describe('a one-time code', () => {
  const startMutation = `mutation ($code: String!) { sessionStart(input: { code: $code }) { ${pair} } }`;
  const start = async (code: string, from = address) =>
    (await bench.ask(null, startMutation, { code }, from)).data.sessionStart;
  const issue = async (name = 'alice') => (await bench.system.firstStart.issueLoginCode(name)) ?? '';

  test('logs its user in once, and the session is like any other', async () => {
    const code = await issue();
    const tokens = await start(code);
    expect(tokens.userErrors).toEqual([]);
    expect(await worth(tokens.accessToken)).toMatchObject({ kind: 'user', name: 'alice' });
    expect((await refresh(tokens.refreshToken)).userErrors).toEqual([]);
    const again = await start(code);
    expect(again).toMatchObject({ accessToken: null, refreshToken: null });
    expect(again.userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS', retry: 'NEVER' }]);
  });

  test('used many times at once succeeds exactly once', async () => {
    const code = await issue();
    const answers = await Promise.all(Array.from({ length: 8 }, () => start(code)));
    expect(answers.filter(({ userErrors }) => userErrors.length === 0)).toHaveLength(1);
  });

  test('is refused after its user was changed or disabled, and unknown users get none', async () => {
    await makeUser(bench, 'carol', { password });
    const code = await issue('carol');
    await bench.db.execute("UPDATE user SET version = version + 1 WHERE name = 'carol'");
    expect((await start(code)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
    await bench.db.execute("UPDATE user SET disabled = 1 WHERE name = 'carol'");
    expect(await bench.system.firstStart.issueLoginCode('carol')).toBeUndefined();
    expect(await bench.system.firstStart.issueLoginCode('nobody')).toBeUndefined();
  });

  test("can't be guessed for long, and a guess costs no one else a login", async () => {
    const codes = [];
    for (let count = 0; count < 101; count += 1)
      codes.push((await start('tgc_0123456789abcdefABCDEF')).userErrors[0]?.code);
    expect(codes.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => 'BAD_CREDENTIALS'));
    expect(codes.at(-1)).toBe('RATE_LIMITED');
    expect((await start(await issue(), '192.0.3.1')).userErrors).toEqual([]);
  });

  test('is in the audit trail as made, used and refused, without the code itself', async () => {
    const code = await issue();
    await start(code);
    await start(code);
    const rows = await bench.db.query<{ action: string; outcome: string; details: string }>(
      "SELECT action, outcome, details FROM audit_entry WHERE action IN ('issueLoginCode', 'sessionStart') ORDER BY id DESC LIMIT 3",
    );
    expect(rows.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['sessionStart', 'REFUSED'],
      ['sessionStart', 'ACCEPTED'],
      ['issueLoginCode', 'ACCEPTED'],
    ]);
    expect(JSON.stringify(await bench.db.query('SELECT * FROM audit_entry'))).not.toContain(code);
    expect(JSON.stringify(await bench.db.query('SELECT * FROM session'))).not.toContain(code);
  });

  test('works again if the database could not be written', async () => {
    const disk = new FillableDisk('/');
    const full = await systemBench({ disk });
    try {
      await makeUser(full, 'bob', { password });
      const code = await full.system.firstStart.issueLoginCode('bob');
      const ask = async () => {
        const answer = await full.ask(null, startMutation, { code }, address);
        return answer.data?.sessionStart?.userErrors[0]?.code ?? answer.codes[0] ?? null;
      };
      disk.isFull = true;
      expect(await ask()).toBe('DISK_FULL');
      disk.isFull = false;
      expect(await ask()).toBeNull();
      expect(await ask()).toBe('BAD_CREDENTIALS');
    } finally {
      await full.stop();
    }
  });
});

describe('refresh', () => {
  test('returns a new pair once, and the new one continues', async () => {
    const first = await login();
    const second = await refresh(first.refreshToken);
    expect(second.userErrors).toEqual([]);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(await worth(second.accessToken)).toMatchObject({ name: 'alice' });
    expect((await refresh(second.refreshToken)).userErrors).toEqual([]);
  });

  test.each([1, 2, 3])('with a token that was used %i refreshes ago ends the session', async (age) => {
    const first = await login();
    let last = first;
    for (let count = 0; count < age; count += 1) last = await refresh(last.refreshToken);
    expect((await refresh(first.refreshToken)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
    expect(await worth(last.accessToken)).toBeUndefined();
    expect((await refresh(last.refreshToken)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
  });

  test('twice at once with one token succeeds at most once, and ends the session', async () => {
    const { refreshToken, accessToken } = await login();
    const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(refreshToken)));
    expect(answers.filter((answer) => answer.userErrors.length === 0).length).toBeLessThanOrEqual(1);
    expect(await worth(accessToken)).toBeUndefined();
  });

  test.each([
    ['nothing', ''],
    ['another text', 'tgr_nonsense'],
    ['a text of 100,000 characters', `tgr_${'x'.repeat(100_000)}`],
    ['a session that never existed', `tgr_${newUuid()}.${'x'.repeat(43)}`],
  ])('with %s is refused', async (_, token) => {
    expect((await refresh(token)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
  });

  test('with an invented secret for an existing session is refused, and ends nothing', async () => {
    const first = await login();
    const second = await refresh(first.refreshToken);
    const [head = ''] = (second.refreshToken ?? '').split('.');
    for (const invented of ['x'.repeat(43), newRefreshToken(newUuid()).secret.split('.')[1]])
      expect((await refresh(`${head}.${invented}`)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
    const [entry] = await bench.db.query<{ details: string }>(
      "SELECT details FROM audit_entry WHERE action = 'sessionRefresh' ORDER BY id DESC LIMIT 1",
    );
    expect(JSON.parse(entry?.details ?? '')).toMatchObject({ sessionEnded: false });
    expect(await worth(second.accessToken)).toMatchObject({ name: 'alice' });
    expect((await refresh(second.refreshToken)).userErrors).toEqual([]);
  });

  test('of a session from before families continues and is protected from then on', async () => {
    const first = await login();
    await bench.db.execute('UPDATE session SET family_hash = NULL');
    const [head = ''] = (first.refreshToken ?? '').split('.');
    expect((await refresh(`${head}.${'x'.repeat(43)}`)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
    const second = await refresh(first.refreshToken);
    expect(second.userErrors).toEqual([]);
    expect((await refresh(first.refreshToken)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
    expect(await worth(second.accessToken)).toBeUndefined();
  });

  test('is refused when the session has ended, or the user is disabled', async () => {
    const over = await login();
    await bench.db.execute('UPDATE session SET expires_at = NOW(3) - INTERVAL 1 SECOND');
    expect(await worth(over.accessToken)).toBeUndefined();
    expect((await refresh(over.refreshToken)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
    await makeUser(bench, 'leaver', { password });
    const leaver = await login('leaver');
    await bench.db.execute("UPDATE user SET disabled = 1 WHERE name = 'leaver'");
    expect(await worth(leaver.accessToken)).toBeUndefined();
    expect((await refresh(leaver.refreshToken)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
  });

  test('never extends a session beyond 30 days', async () => {
    const { refreshToken } = await login();
    await bench.db.execute('UPDATE session SET created_at = NOW(3) - INTERVAL 29 DAY WHERE expires_at > NOW(3)');
    const { refreshTokenExpiresAt } = await refresh(refreshToken);
    const [row] = await bench.db.query<{ soon: number }>(
      'SELECT CAST(? AS DATETIME(3)) <= NOW(3) + INTERVAL 1 DAY AS soon',
      [new Date(String(refreshTokenExpiresAt))],
    );
    expect(row?.soon).toBe(1);
  });
});

describe('logout', () => {
  const logout = 'mutation { logout { userErrors { code } } }';

  test('ends the session at once, for recheck too; repeating it is not an error', async () => {
    const { accessToken, refreshToken } = await login();
    const identity = (await worth(accessToken)) ?? null;
    expect((await bench.ask(identity, logout)).data.logout.userErrors).toEqual([]);
    expect(await worth(accessToken)).toBeUndefined();
    expect(identity && (await bench.system.authenticator.recheck(identity))).toBeUndefined();
    expect((await refresh(refreshToken)).userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
    expect((await bench.ask(identity, logout)).data.logout.userErrors).toEqual([]);
  });

  test("ends all other sessions on request, and me shows only the caller's sessions", async () => {
    // Each user has a separate session.
    await makeUser(bench, 'own-sessions', { password });
    const [mine, other, third] = [
      await login('own-sessions'),
      await login('own-sessions'),
      await login('own-sessions'),
    ];
    const stranger = (await login()).accessToken;
    const identity = (await worth(mine.accessToken)) ?? null;
    const shown = async () =>
      (await bench.ask(identity, 'query { me { sessions { current createdAt expiresAt } } }')).data.me.sessions;
    const currents = (await shown()).map(({ current }: { current: boolean }) => current);
    expect(currents.sort()).toEqual([false, false, false, true]);
    const others = 'mutation { logout(input: { others: true }) { sessionsEnded userErrors { code } } }';
    expect((await bench.ask(identity, others)).data.logout).toEqual({ sessionsEnded: 3, userErrors: [] });
    const worths = await Promise.all([mine, other, third].map(({ accessToken }) => worth(accessToken)));
    expect(worths.map((each) => each?.name)).toEqual(['own-sessions', undefined, undefined]);
    expect((await worth(stranger))?.name).toBe('alice');
    expect(await shown()).toHaveLength(1);
    expect((await bench.ask(identity, others)).data.logout.sessionsEnded).toBe(0);
  });

  test('is refused to API tokens, and without a login', async () => {
    const token = {
      kind: 'token',
      id: newUuid(),
      name: 't',
      admin: false,
      projects: {},
      credentialId: newUuid(),
    } as const;
    expect((await bench.ask(token, logout)).data.logout.userErrors).toEqual([{ code: 'WRONG_STATE' }]);
    expect((await bench.ask(null, logout)).codes).toEqual(['UNAUTHENTICATED']);
  });
});

test('neither tokens nor passwords are stored in plain text', async () => {
  const { refreshToken, accessToken } = await login();
  const rows = await bench.db.query<Record<string, unknown>>('SELECT * FROM session');
  const kept = JSON.stringify([rows, await bench.db.query('SELECT * FROM audit_entry')]);
  for (const secret of [refreshToken, accessToken, password]) expect(kept).not.toContain(secret);
});
