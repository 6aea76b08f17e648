import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ExecCall, JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { modSecurity } from '../../../../../subgraphs/relay/drivers/modsecurity/driver.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { attacks, describeWithWaf, visit } from '../../../../support/servers/apache-waf.ts';
import { checkedFor, type DriverCaller, operationOf } from '../../support/driver-caller.ts';
import { foreignObjects } from '../../support/foreign-objects.ts';
import { live } from '../../support/object-life.ts';
import { renderContext } from '../../support/render-context.ts';
import { wafCaller } from './support.ts';

const teapot: JsonObject = { site: 'shop.lab', id: 77, variables: ['ARGS'], operator: 'contains', pattern: 'teapot' };

describeWithWaf('modsecurity on a real Apache', (waf) => {
  let driver: DriverCaller;
  const rules = () => join(waf().configFolder, 'waf/sites/shop.lab/rules');
  /** Every file in the configuration folder that Apache reads, with its text. */
  async function configuration(): Promise<Record<string, string>> {
    const files: Record<string, string> = {};
    for (const name of await readdir(waf().configFolder, { recursive: true })) {
      if (name.endsWith('.conf')) files[name] = await readFile(join(waf().configFolder, name), 'utf8');
    }
    return files;
  }
  /** Temporary files that changes left behind. */
  const leftOver = async () =>
    (await readdir(join(waf().configFolder, 'waf'), { recursive: true })).filter((name) =>
      /(?:new|old|check)/.test(name),
    );

  beforeAll(async () => {
    driver = await wafCaller(waf());
  });
  afterAll(() => driver.stop());
  afterEach(async () => {
    const changed = await readdir(rules());
    for (const name of changed) await rm(join(rules(), name));
    for (const { name, mode } of waf().sites) {
      const file = join(waf().configFolder, 'waf/sites', name, 'mode.conf');
      if ((await readFile(file, 'utf8')).includes(`SecRuleEngine ${mode}\n`)) continue;
      await writeFile(file, `SecRuleEngine ${mode}\n`);
      changed.push(file);
    }
    // Apache has to reload without the removed files.
    if (changed.length > 0) await driver.call('mode.set', { site: 'shop.lab', mode: 'On' });
    expect(await leftOver()).toEqual([]);
  });

  test('reports its identity', async () => {
    expect(await driver.health()).toMatchObject({
      softwareVersion: expect.stringMatching(/^Apache\/2\.4\.\d+ ModSecurity\/2\.9\./),
    });
  });

  test('lists its sites', async () => {
    await driver.call('rule.create', teapot);
    expect(await driver.call('site.list', {})).toEqual({
      state: 'SUCCEEDED',
      result: {
        sites: [
          { site: 'intranet.lab', mode: 'DetectionOnly', rules: 0 },
          { site: 'shop.lab', mode: 'On', rules: 1 },
        ],
      },
    });
  });

  const full: JsonObject = {
    ...{ site: 'shop.lab', id: 90, variables: ['REQUEST_HEADERS:User-Agent', 'ARGS'], operator: 'rx' },
    ...{ pattern: "^(?i)bad\"bot\\.\\d+ \\\\ 'x' & $", transformations: ['urlDecodeUni', 'lowercase'], phase: 1 },
    ...{ action: 'deny', status: 406, message: 'No bots: see (1), please.' },
  };
  const watched: JsonObject = {
    ...{ site: 'shop.lab', id: 91, variables: ['ARGS'], operator: 'detectXSS', action: 'log' },
  };
  test.each([
    [full, { ...full, variables: ['ARGS', 'REQUEST_HEADERS:User-Agent'] }],
    [watched, { ...watched, phase: 2, transformations: [] }],
    [teapot, { ...teapot, action: 'deny', status: 403, phase: 2, transformations: [] }],
  ])(
    'the life of the rule %j: it works when its call ends, in its site only, and not after its deletion',
    async (create, wanted) => {
      const { site, id, pattern = null } = create as { site: string; id: number; pattern?: string };
      await driver.call('rule.create', { ...teapot, id: 70, pattern: 'kettle' });
      const visited = (at: string) => visit(waf(), at, '/?q=a+teapot');
      expect(await visited('shop.lab')).toBe(200);
      await live(driver, {
        ...{ kind: 'rule', create, result: () => ({ site, id, loaded: true }) },
        beside: { fileSha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown as string },
        list: [
          { site },
          () => ({
            rules: [...[expect.objectContaining({ file: '70' }), expect.objectContaining({ file: `${id}` })]],
          }),
        ],
        mapped: ({ madeBy }) => ({ madeBy, changedBy: madeBy }),
        async made({ set }) {
          expect(set).toEqual(wanted);
          const { rules } = await driver.done('rule.list', { site });
          if (pattern !== null) expect(rules).toMatchObject([{}, { rule: { pattern } }]);
          expect(await visited('shop.lab')).toBe(create === teapot ? 403 : 200);
          expect(await visited('intranet.lab')).toBe(200);
        },
        gone: async () => expect(await visited('shop.lab')).toBe(200),
      });
    },
  );

  test.each(Object.entries(attacks))('the mode determines the reaction to %s', async (_name, attack) => {
    for (const [mode, status] of [
      ['On', 403],
      ['DetectionOnly', 200],
      ['Off', 200],
      ['On', 403],
    ] as const) {
      expect(await driver.call('mode.set', { site: 'intranet.lab', mode })).toMatchObject({
        state: 'SUCCEEDED',
        result: { site: 'intranet.lab', mode, loaded: true },
      });
      expect(await visit(waf(), 'intranet.lab', attack)).toBe(status);
    }
    expect(await visit(waf(), 'shop.lab', attack)).toBe(403);
  });

  test('a rule refused by Apache changes nothing, and Apache is quoted', async () => {
    const before = await configuration();
    const bad = { ...teapot, operator: 'rx', pattern: '(teapot' };
    const refused = await driver.call('rule.create', bad);
    expect(refused).toMatchObject({ state: 'FAILED', code: 'CONFIG_TEST_FAILED' });
    expect(refused).toMatchObject({ message: expect.stringMatching(/77\.conf.*(pattern|missing|parenthes)/is) });
    expect(await configuration()).toEqual(before);
    expect(await visit(waf(), 'shop.lab', '/?q=teapot')).toBe(200);
    expect(await driver.call('rule.create', teapot)).toMatchObject({ state: 'SUCCEEDED' });
  });

  test('the device checks a rule and stores nothing of it', async () => {
    const before = await configuration();
    expect(await driver.dryRun('rule.create', teapot)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await driver.dryRun('rule.create', { ...teapot, operator: 'rx', pattern: '(' })).toMatchObject({
      state: 'FAILED',
      code: 'CONFIG_TEST_FAILED',
    });
    expect(await configuration()).toEqual(before);
    expect(await leftOver()).toEqual([]);
    await driver.call('rule.create', teapot);
    expect(await driver.dryRun('rule.create', teapot)).toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  test('a number in use is refused, and the rule is unchanged', async () => {
    await driver.call('rule.create', teapot);
    const before = await configuration();
    const other = { ...teapot, pattern: 'coffee' };
    expect(await driver.call('rule.create', other)).toMatchObject({ state: 'FAILED', code: 'ALREADY_EXISTS' });
    expect(await configuration()).toEqual(before);
  });

  foreignObjects(modSecurity, () => driver, {
    rule: {
      create: ['rule.create', teapot],
      put: async (what) => {
        const file = join(rules(), '77.conf');
        if (what === 'nothing') await rm(file, { force: true });
        else await writeFile(file, '# by an administrator\nSecRule ARGS "@contains coffee" "id:77,phase:2,deny"\n');
      },
      state: configuration,
    },
  });

  test('a file that another call has marked is not deleted', async () => {
    await driver.call('rule.create', teapot);
    const before = await configuration();
    const other = { site: 'shop.lab', id: 77, madeBy: [randomUUID()] };
    expect(await driver.refused('rule.delete', other)).toBe('FAILED CHANGED');
    expect(await configuration()).toEqual(before);
  });

  test('settings that someone added next to the mode are kept', async () => {
    const file = join(waf().configFolder, 'waf/sites/shop.lab/mode.conf');
    const whole = '# by hand\nSecRuleEngine On\nSecRequestBodyLimit 131072\n';
    await writeFile(file, whole);
    expect(await driver.refused('mode.set', { site: 'shop.lab', mode: 'Off' })).toBe('FAILED CHANGED');
    expect(await readFile(file, 'utf8')).toBe(whole);
    await writeFile(file, 'SecRuleEngine On\n');
  });

  test('missing sites are refused', async () => {
    const elsewhere = { ...teapot, site: 'nowhere' };
    for (const [name, args] of [
      ['rule.create', elsewhere],
      ['rule.list', { site: 'nowhere' }],
      ['mode.set', { site: 'nowhere', mode: 'On' }],
    ] as const) {
      expect(await driver.call(name, args)).toMatchObject({ state: 'FAILED', code: 'NOT_FOUND' });
    }
    expect(await driver.look('site', { scope: '', key: 'nowhere' })).toEqual({ finding: 'ABSENT' });
  });

  test('a configuration broken by hand refuses changes, and no change is left half done', async () => {
    const broken = join(rules(), 'broken.conf');
    const call = randomUUID();
    await driver.call('rule.create', teapot, call);
    await writeFile(broken, 'NoSuchDirective on\n');
    const before = await configuration();
    for (const [name, args] of [
      ['rule.create', { ...teapot, id: 78 }],
      ['rule.delete', { site: 'shop.lab', id: 77, madeBy: [call] }],
      ['mode.set', { site: 'shop.lab', mode: 'Off' }],
    ] as const) {
      expect(await driver.call(name, args)).toMatchObject({
        state: 'FAILED',
        code: 'CONFIG_TEST_FAILED',
        message: expect.stringContaining('NoSuchDirective'),
      });
    }
    expect(await configuration()).toEqual(before);
    expect(await leftOver()).toEqual([]);
    expect(await visit(waf(), 'shop.lab', '/?q=teapot')).toBe(403);
    await rm(broken);
  });

  test('a stopped Apache accepts no changes, and is not started', async () => {
    const settings = join(waf().configFolder, 'envvars');
    await writeFile(settings, 'APACHE_PID_FILE=/run/apache2/other.pid\n');
    const before = await configuration();
    expect(await driver.call('rule.create', teapot)).toMatchObject({
      state: 'FAILED',
      code: 'DEVICE_REFUSED',
      message: expect.stringContaining('not running'),
    });
    await rm(settings);
    expect(await configuration()).toEqual(before);
  });

  test('concurrent changes run one by one: a bad one does not affect a good one', async () => {
    const outcomes = await Promise.all([
      driver.call('rule.create', { ...teapot, id: 81, pattern: 'one' }),
      driver.call('rule.create', { ...teapot, id: 82, operator: 'rx', pattern: '(' }),
      driver.call('rule.create', { ...teapot, id: 83, pattern: 'three' }),
      driver.call('mode.set', { site: 'shop.lab', mode: 'DetectionOnly' }),
    ]);
    expect(outcomes.map(({ state }) => state)).toEqual(['SUCCEEDED', 'FAILED', 'SUCCEEDED', 'SUCCEEDED']);
    expect((await readdir(rules())).sort()).toEqual(['81.conf', '83.conf']);
  });

  describe('a call that arrives incompletely', () => {
    const operationId = randomUUID();
    const cut = (lines: number) => {
      const wire = driver.render('rule.create', teapot, operationId);
      const { command, stdin = '' } = wire as ExecCall;
      return { kind: 'exec' as const, command, stdin: stdin.split('\n').slice(0, lines).join('\n') };
    };

    test.each([0, 1, 2, 3, 4, 5, 6])('with %i lines changes nothing', async (lines) => {
      const before = await configuration();
      const reply = await driver.ask(cut(lines));
      expect(
        operationOf(modSecurity, 'rule.create').interpret(
          reply,
          checkedFor(modSecurity, 'rule.create', teapot),
          renderContext(modSecurity, { operationId }),
        ),
        // Without its whole first line, the script does not know which call it refuses.
      ).toMatchObject({ state: lines > 1 ? 'FAILED' : 'UNKNOWN' });
      expect(await configuration()).toEqual(before);
      expect(await leftOver()).toEqual([]);
    });
  });

  test('a connection that breaks during a change leaves it complete or not made', async () => {
    const other = await wafCaller(waf());
    await other.call('site.list', {});
    const lost = other.call('rule.create', teapot);
    await waitFor('the script', async () => (await readdir(rules())).length > 0);
    await other.stop();
    expect(await lost).toMatchObject({ state: 'NO_REPLY', failure: { kind: 'NO_VERDICT' } });
    await waitFor('its end', async () => (await visit(waf(), 'shop.lab', '/?q=teapot')) === 403);
    expect(await driver.look('rule', { scope: 'shop.lab', key: '77' })).toMatchObject({ finding: 'PRESENT' });
  });

  test('a site is found with its mode, and the mark of the call that set it', async () => {
    const mark = randomUUID();
    await driver.call('mode.set', { site: 'shop.lab', mode: 'Off' }, mark);
    expect(await driver.look('site', { scope: '', key: 'shop.lab' })).toEqual({
      finding: 'PRESENT',
      operationId: mark,
      values: { site: 'shop.lab', mode: 'Off' },
    });
  });

  test('a rule edited by hand differs from its desired state', async () => {
    await driver.call('rule.create', teapot);
    const file = join(rules(), '77.conf');
    await writeFile(file, (await readFile(file, 'utf8')).replace('teapot', 'coffee'));
    expect(await driver.look('rule', { scope: 'shop.lab', key: '77' })).toMatchObject({
      values: { pattern: 'coffee' },
    });
    await writeFile(file, 'SecAction "id:77,pass,nolog"\nSecAction "id:78,pass,nolog"\n');
    expect(await driver.look('rule', { scope: 'shop.lab', key: '77' })).toMatchObject({
      finding: 'PRESENT',
      values: { native: expect.stringContaining('SecAction') },
    });
  });

  test('a pattern is compared literally, whatever it contains', async () => {
    const patterns = [
      ...['a"b\\c', "a'b,c:d", '\\', '"', '\\\\"', '</VirtualHost> # end', '@rx !x Grüße'],
      '"; touch /run/device/probe; $(touch /run/device/probe) `touch /run/device/probe`',
    ];
    const rule = { ...teapot, operator: 'streq', phase: 1, status: 406 };
    for (const [index, pattern] of patterns.entries())
      await driver.call('rule.create', { ...rule, id: 100 + index, pattern });
    for (const [index, pattern] of patterns.entries()) {
      const visited = (text: string) => visit(waf(), 'shop.lab', `/?q=${encodeURIComponent(text)}`);
      expect([pattern, await visited(pattern)]).toEqual([pattern, 406]);
      expect([pattern, await visited(`${pattern}z`)]).not.toEqual([pattern, 406]);
      const found = await driver.look('rule', { scope: 'shop.lab', key: String(100 + index) });
      expect(found).toMatchObject({ values: { pattern } });
    }
    expect(await readdir(join(waf().configFolder, '../device'))).not.toContain('probe');
  });

  test.each([...modSecurity.operations.values()].map(({ name, example }) => [name, example] as const))(
    'the example of %s works',
    async (name, example) => {
      const made = '00000000-0000-4000-8000-000000000000';
      if (name === 'rule.delete')
        await driver.call('rule.create', operationOf(modSecurity, 'rule.create').example, made);
      expect(await driver.call(name, example)).toMatchObject({ state: 'SUCCEEDED' });
    },
  );
});
