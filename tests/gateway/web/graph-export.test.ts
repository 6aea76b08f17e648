// The export of mappings. One part uses the whole system on a real database, with a device that answers like nft. The other part sends an
// endless graph page by page to clients that disconnect or are slow.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import pino from 'pino';
import { request } from 'undici';
import type { EndpointRequest } from '../../../gateway/http/endpoint-request.ts';
import { exportGraph } from '../../../gateway/web/graph-export.ts';
import { NftDevice } from '../../subgraphs/relay/support/nft-device.ts';
import { stays, waitFor } from '../../support/machine/temporary-folder.ts';
import { type RunningSystem, runningSystem } from '../../support/product/running-system.ts';

interface Line {
  readonly id?: string;
  readonly mappingState?: string;
  readonly objectKey?: string;
  readonly after?: string;
}

interface Exported {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** Each mapping once: the last of several lines counts. */
  readonly mappings: readonly Line[];
  /** The position in the last line. Undefined if there is none. */
  readonly after: string | undefined;
}

describe('from the whole system', () => {
  let system: RunningSystem;
  let device: NftDevice;
  let [origin, strangersToken] = ['', ''];
  let keys = 0;

  beforeAll(async () => {
    system = await runningSystem();
    origin = new URL(system.url).origin;
    const firstStart = system.process.access?.firstStart;
    if (firstStart === undefined) throw new Error('no system');
    const stranger = {
      projectId: await firstStart.ensureProject('other'),
      name: 'stranger',
      role: 'OPERATOR',
    } as const;
    strangersToken = (await firstStart.issueToken(stranger)).secret;
    device = await NftDevice.start();
    const { host, port, hostKeySha256 } = device.ssh;
    const credentials = { username: 'netops', password: 'secret' };
    await mutate('backendCreate', 'backend { id }', {
      ...{ name: 'fw', driver: 'linux-nftables', host, port, hostKeySha256, credentials },
    });
  });

  afterAll(async () => {
    // This test writes many mappings directly into the table, without events.
    await system?.stop({ except: ['a mapping is as its last event says'] });
    await device?.ssh.stop();
  });

  async function exported(path = '', bearer = system.token): Promise<Exported> {
    const response = await request(`${origin}/export/mappings.ndjson${path}`, {
      headers: bearer === '' ? {} : { authorization: `Bearer ${bearer}` },
    });
    const text = await response.body.text();
    const lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
    const { statusCode: status, headers } = response;
    const after = text.endsWith('\n') ? lines.at(-1)?.after : undefined;
    const last = new Map(lines.flatMap((line) => (line.id === undefined ? [] : [[line.id, line] as const])));
    return { status, headers, text, mappings: [...last.values()], after };
  }

  async function mutate<Payload>(name: string, fields: string, input: object): Promise<Payload> {
    keys += 1;
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { done: ${name}(input: $input) { ${fields} userErrors { code message } } }`;
    const response = await request(`${origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${system.token}` },
      body: JSON.stringify({ query, variables: { input: { idempotencyKey: `export-${keys}`, ...input } } }),
    });
    const { data, errors } = (await response.body.json()) as {
      data?: { done: Payload & { userErrors: unknown[] } };
      errors?: unknown;
    };
    if (data === undefined || errors !== undefined || data.done.userErrors.length > 0)
      throw new Error(JSON.stringify({ data, errors }));
    return data.done;
  }

  async function add(address: string): Promise<string> {
    const cmpObject = { type: 'tenant', externalId: address };
    const input = { backend: { name: 'fw' }, set: 'blocked', address, cmpObject };
    const made = await mutate<{ mapping: { id: string } }>('firewallAddressSetElementAdd', 'mapping { id }', input);
    return made.mapping.id;
  }

  test('without a login, or with an ended one, the answer is 401', async () => {
    for (const bearer of ['', 'tg_nobody']) {
      const { status, headers, text } = await exported('', bearer);
      expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
      expect(JSON.parse(text).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    }
  });

  test('the lines are the mappings, and the last line has the position; a later export has only changes, including deletions', async () => {
    const ids = [await add('10.9.0.1'), await add('10.9.0.2'), await add('10.9.0.3')];
    const whole = await exported();
    expect(whole.status).toBe(200);
    expect(whole.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    expect(whole.headers['content-security-policy']).toContain("default-src 'none'");
    expect(whole.mappings.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(whole.mappings.find(({ id }) => id === ids[0])).toEqual({
      id: ids[0],
      version: 1,
      mappingState: 'ACTIVE',
      mappingRole: '',
      resource: 'address-set-element',
      scope: 'inet filter',
      objectKey: 'blocked/10.9.0.1',
      uuid: null,
      shared: false,
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: expect.stringMatching(/Z$/),
      project: { id: expect.any(String) },
      cmpObject: { id: expect.any(String), namespace: 'default', type: 'tenant', externalId: '10.9.0.1' },
      backend: { id: expect.any(String), name: 'fw' },
      lastVerification: null,
    });
    expect(whole.after).toEqual(expect.any(String));

    // A recent write appears a moment later, because events are sequenced first.
    const told = new Map<string | undefined, string | undefined>();
    let after = whole.after;
    const follow = async () => {
      const since = await exported(`?after=${after}`);
      after = since.after;
      for (const { id, mappingState } of since.mappings) told.set(id, mappingState);
      return since.mappings.length;
    };
    await waitFor('nothing to be told', async () => (await follow()) === 0);
    told.clear();
    await mutate('mappingObjectDelete', 'operation { state }', { mappingId: ids[1] });
    const fourth = await add('10.9.0.4');
    await waitFor('the fourth to be told', async () => {
      await follow();
      return told.has(fourth);
    });
    expect([told.get(ids[1]), told.get(fourth), told.has(ids[0])]).toEqual(['DELETED', 'ACTIVE', false]);
    expect(await follow()).toBe(0);
  });

  test("another project's mappings are not included and can't be requested", async () => {
    await add('10.9.1.1');
    const [line] = (await exported()).text.split('\n');
    const { project } = JSON.parse(line ?? '') as { project: { id: string } };
    for (const path of ['', `?projectId=${project.id}`]) {
      const theirs = await exported(path, strangersToken);
      expect([theirs.status, theirs.mappings, theirs.after]).toEqual([200, [], expect.any(String)]);
    }
    const own = await exported(`?projectId=${project.id}`);
    expect(own.mappings.length).toBeGreaterThan(0);
    // Changes of these mappings are not included either.
    const theirs = await exported('', strangersToken);
    await add('10.9.1.2');
    await waitFor('the owner to be told', async () => (await exported(`?after=${own.after}`)).mappings.length > 0);
    expect((await exported(`?after=${theirs.after}`, strangersToken)).mappings).toEqual([]);
  });

  test('an invalid position is refused with its code, before the first line', async () => {
    const { status, headers, text } = await exported('?after=nonsense');
    expect([status, headers['content-type']]).toEqual([400, 'application/json; charset=utf-8']);
    expect(JSON.parse(text).errors[0].extensions.code).toBe('INVALID_CURSOR');
  });

  test('more than one page is exported completely', async () => {
    const total = 1_234;
    const sql = await createConnection(system.database.connection);
    await sql.query(
      `INSERT INTO mapping (id, project_id, namespace, cmp_type, cmp_id, role, backend_id, resource, scope, object_key,
        object_hash, owner_slot, state)
      SELECT UUID(), project_id, 'default', 'bulk', seq, '', id, 'rule', 'inet filter forward', CONCAT('bulk-', seq),
        SHA2(CONCAT('bulk-', seq), 256), '', 'ACTIVE' FROM backend JOIN seq_1_to_${total}`,
    );
    await sql.end();
    const { mappings, after } = await exported();
    const bulk = new Set(mappings.map(({ objectKey }) => objectKey).filter((key) => key?.startsWith('bulk-')));
    expect(bulk.size).toBe(total);
    expect(after).toEqual(expect.any(String));
  });

  test('only GET is allowed', async () => {
    for (const method of ['HEAD', 'POST', 'DELETE'] as const) {
      const response = await request(`${origin}/export/mappings.ndjson`, { method });
      await response.body.dump();
      expect([method, response.statusCode]).toEqual([method, 405]);
    }
  });
});

describe('page by page', () => {
  const paging = { name: 'things', query: 'query { things { list after upToDate } }', field: 'things', items: 'list' };
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  /** A graph with any number of pages. It is lost after `failAfter` of them. */
  async function serve(options: { readonly pages: number; readonly failAfter?: number }) {
    const state = { asked: 0, ended: 0 };
    const mapping = { id: 'x'.repeat(1_000) };
    const handle = async ({ body }: EndpointRequest) => {
      state.asked += 1;
      const { after } = (body as { variables: { after: string | null } }).variables;
      const page = Number(after ?? '0') + 1;
      const answer =
        page > (options.failAfter ?? Number.POSITIVE_INFINITY)
          ? { errors: [{ message: 'gone', extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }], data: null }
          : {
              data: {
                things: {
                  list: Array.from({ length: 100 }, () => mapping),
                  after: String(page),
                  upToDate: page === options.pages,
                },
              },
            };
      return { status: 200, headers: new Map<string, string>(), text: JSON.stringify(answer), kind: 'query' };
    };
    const log = pino({ level: 'silent' });
    server = createServer((incoming, response) => {
      const hungUp = new AbortController();
      response.once('close', () => hungUp.abort());
      const taken = {
        headers: new Map(),
        requestId: 'r',
        clientAddress: undefined,
        callerRequestId: undefined,
        signal: hungUp.signal,
      };
      const search = new URLSearchParams(incoming.url?.split('?')[1]);
      void exportGraph({ endpoint: { handle }, log }, paging, taken, search, response).then(() => {
        state.ended += 1;
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { state, port: (server.address() as AddressInfo).port };
  }

  test('a client that disconnects stops the paging', async () => {
    const { state, port } = await serve({ pages: Number.POSITIVE_INFINITY });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await waitFor('the export to end', () => state.ended === 1);
    const asked = state.asked;
    // A page takes a few milliseconds.
    await stays('no page is asked for', 100, () => state.asked === asked);
  });

  test('nothing is read for a client that does not read, and once it reads, it gets everything', async () => {
    const pages = 300;
    const { state, port } = await serve({ pages });
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await once(socket, 'readable');
    // The gateway reads ahead only as much as fits into the connection's buffers.
    let before = -1;
    await waitFor('the paging to stop', async () => {
      if (state.asked === before) return true;
      before = state.asked;
      // There is no signal that no further page will be requested, so the test waits.
      await new Promise((resolve) => setTimeout(resolve, 200));
      return false;
    });
    expect(state.asked).toBeLessThan(pages);
    let text = '';
    for await (const part of socket) text += String(part);
    process.off('warning', note);
    expect(text).toContain(`{"after":"${pages}"}\n`);
    expect([state.asked, state.ended]).toEqual([pages, 1]);
    expect(warnings).toEqual([]);
  });

  test('a lost part gives 503 before the first line, and a broken connection after it', async () => {
    const first = await serve({ pages: 3, failAfter: 0 });
    const refused = await request(`http://127.0.0.1:${first.port}/`);
    expect(refused.statusCode).toBe(503);
    expect(await refused.body.json()).toMatchObject({ errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
    server?.close();
    const second = await serve({ pages: 3, failAfter: 2 });
    const cut = await request(`http://127.0.0.1:${second.port}/`);
    expect(cut.statusCode).toBe(200);
    await expect(cut.body.text()).rejects.toThrow();
  });
});
