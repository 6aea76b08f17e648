// Containers and objects in the control plane's graph, queried from clusters. A container created there is a bucket at
// each cluster, and the graph shows the objects that users put into it.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { retireUrlKeys } from '../../../../../subgraphs/object-storage/control/containers/url-service.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { S3TestClient } from '../../../../support/object-storage/s3-client.ts';
import { type ControlGraph, identity, projectA, projectB } from '../../support/control-graph.ts';
import { Federation } from '../../support/federation.ts';

const names = ['north', 'south'];
const operator = identity('OPERATOR');
let federation: Federation;
let graph: ControlGraph;
let put: (cluster: string, path: string, body?: string) => Promise<number>;
let remove: (cluster: string, path: string) => Promise<number>;

beforeAll(async () => {
  federation = await Federation.start(names);
  graph = federation.graph;
  await graph.make('objectOptionCreate', { name: 'standard' });
  const { made } = await graph.ask<{ made: { objectAccessKey: { accessKeyId: string }; secret: string } }>(
    'mutation { made: objectAccessKeyCreate(input: { name: "backup" }) { objectAccessKey { accessKeyId } secret } }',
    ...[{}, operator],
  );
  const credentials = { accessKeyId: made.objectAccessKey.accessKeyId, secret: made.secret };
  const client = (name: string) => new S3TestClient({ url: federation.url(name), credentials });
  put = async (name, path, body = '') => (await client(name).send({ method: 'PUT', path, body })).status;
  remove = async (name, path) => (await client(name).send({ method: 'DELETE', path })).status;
  await waitFor('the key to be everywhere', async () => {
    const answers = await Promise.all(names.map((name) => client(name).send({ method: 'GET', path: '/' })));
    return answers.every(({ status }) => status === 200);
  });
}, 240_000 * patience);
afterAll(() => federation.stop(), 60_000 * patience);

const cmpObject = { type: 'tenant', externalId: '42' };
const entity = '{ id name option { name } cmpObject { id } }';
const create = (input: object, who = operator) => graph.mutate('objectContainerCreate', { ...input }, entity, who);
const drop = (id: unknown, who = operator) => graph.mutate('objectContainerDelete', { id }, entity, who);

interface Listed {
  readonly objectContainers: { readonly nodes: { name: string }[]; readonly pageInfo: { endCursor: string } } | null;
}

const list = async (args = '', who = operator) => {
  const text = `{ objectContainers${args} { nodes { name } pageInfo { hasNextPage endCursor } } }`;
  return (await graph.ask<Listed>(text, {}, who)).objectContainers;
};
const listed = async (args = '', who = operator) => (await list(args, who))?.nodes.map(({ name }) => name);

test(
  'a container created in the graph is a bucket at each cluster, and the objects put into it are listed',
  async () => {
    await waitFor('the option to be there', async () => {
      const { faults } = await create({ name: 'photos', cmpObject, idempotencyKey: 'photos' });
      return faults.length === 0;
    });
    // A repetition returns the same container.
    const again = await create({ name: 'photos', cmpObject, idempotencyKey: 'photos' });
    expect(again).toMatchObject({ faults: [], entity: { name: 'photos', option: { name: 'standard' } } });
    expect((await create({ name: 'photos' })).faults).toEqual(['ALREADY_EXISTS input.name']);
    // An option in use can't be deleted, and the refusal names its users.
    const { objectOptions } = await graph.ask<{ objectOptions: { nodes: { id: string }[] } }>(
      '{ objectOptions { nodes { id } } }',
    );
    const deletion = await graph.mutate('objectOptionDelete', { id: objectOptions.nodes[0]?.id });
    expect(deletion.told).toEqual([
      {
        ...{ code: 'IN_USE', field: ['input', 'id'] },
        message: '1 container uses the option standard (alpha/photos): delete it first',
      },
    ]);
    expect((await create({ name: 'Photos' })).faults).toEqual(['INVALID_INPUT input.name']);
    const none = encodeId('ObjectOption', projectB);
    expect((await create({ name: 'other', optionId: none })).faults).toEqual(['NOT_FOUND input.optionId']);
    expect(await put('south', '/photos/a/1', 'one')).toBe(200);
    expect(await put('north', '/photos/a/2', 'two and two')).toBe(200);
    expect(await put('north', `/photos/${'z'.repeat(1_024)}`, 'z')).toBe(200);
    const objects = async (args: string) => {
      const { objectContainer } = await graph.ask<{
        objectContainer: { objects: { nodes: object[]; pageInfo: { hasNextPage: boolean; endCursor: string } } };
      }>(
        `query ($id: ID!) { objectContainer(id: $id) { objects${args} {
          nodes { name sizeBytes etag contentType modifiedAt version } pageInfo { hasNextPage endCursor } } } }`,
        ...[{ id: again.entity?.id }, identity('VIEWER')],
      );
      return objectContainer.objects;
    };
    expect(await objects('(prefix: "a/")')).toMatchObject({
      nodes: [
        { name: 'a/1', sizeBytes: '3', etag: expect.stringMatching(/^[0-9a-f]{32}$/) },
        { name: 'a/2', sizeBytes: '11', modifiedAt: expect.any(String) },
      ],
      pageInfo: { hasNextPage: false },
    });
    const first = await objects('(first: 2)');
    expect([first.nodes.length, first.pageInfo.hasNextPage]).toEqual([2, true]);
    const second = await objects(`(first: 1, after: "${first.pageInfo.endCursor}")`);
    expect(second).toMatchObject({ nodes: [{ name: 'z'.repeat(1_024) }], pageInfo: { hasNextPage: false } });
    expect((await objects(`(after: "${second.pageInfo.endCursor}")`)).nodes).toEqual([]);
    await expect(objects('(after: "?")')).rejects.toThrow('not an endCursor');
    // A folder is one entry, and its cursor leads behind all of it.
    const entries = async (args: string) => {
      const { objectContainer } = await graph.ask<{
        objectContainer: { entries: { nodes: object[]; totalCount: number; pageInfo: { endCursor: string } } };
      }>(
        `query ($id: ID!) { objectContainer(id: $id) { entries${args} {
          nodes { name object { sizeBytes } } totalCount pageInfo { endCursor } } } }`,
        ...[{ id: again.entity?.id }, identity('VIEWER')],
      );
      return objectContainer.entries;
    };
    const [aFolder, aName] = [
      { name: 'a/', object: null },
      { name: 'z'.repeat(1_024), object: { sizeBytes: '1' } },
    ];
    expect(await entries('')).toMatchObject({ nodes: [aFolder, aName], totalCount: 2 });
    const start = await entries('(first: 1)');
    expect(start).toMatchObject({ nodes: [aFolder], totalCount: 2 });
    expect((await entries(`(after: "${start.pageInfo.endCursor}")`)).nodes).toEqual([aName]);
    expect((await entries('(prefix: "a/", first: 1)')).nodes).toEqual([{ name: 'a/1', object: { sizeBytes: '3' } }]);
    expect((await entries('(delimiter: "")')).nodes).toHaveLength(3);
    await expect(entries(`(delimiter: "${'-'.repeat(17)}")`)).rejects.toThrow('delimiter: give at most 16 bytes');
    // Longer than any name in bytes. This is the caller's mistake, not a failure of the clusters to answer.
    await expect(objects(`(prefix: "${'ü'.repeat(513)}")`)).rejects.toThrow('prefix: give at most 1024 bytes');
    const tooLong = Buffer.from('ü'.repeat(600)).toString('base64url');
    await expect(objects(`(after: "${tooLong}")`)).rejects.toThrow('not an endCursor');
    // A container with objects can't be deleted.
    expect((await drop(again.entity?.id)).told).toEqual([
      { code: 'IN_USE', field: ['input', 'id'], message: 'photos has 3 objects: delete them first' },
    ]);
    // The lists of sources and the audit trail know the container by its UUID. A lookup by UUID works, but only for
    // this container.
    const [row] = await graph.db.query<{ id: string }>("SELECT id FROM object_container WHERE live_name = 'photos'");
    const byUuid = (uuid: string, who = operator) =>
      graph.ask('query ($id: ID!) { objectContainer(id: $id) { id } }', { id: encodeId('ObjectContainer', uuid) }, who);
    expect(await byUuid(row?.id ?? '')).toEqual({ objectContainer: { id: again.entity?.id } });
    expect(await byUuid(row?.id ?? '', identity('OPERATOR', projectB))).toEqual({ objectContainer: null });
    expect(await byUuid(projectB)).toEqual({ objectContainer: null });
  },
  120_000 * patience,
);

test(
  'containers belong to their project: they are listed by name, shown at their CMP object, and hidden from others',
  async () => {
    for (const name of ['films', 'notes']) expect((await create({ name, cmpObject })).faults).toEqual([]);
    expect(await put('north', '/bucket-of-s3')).toBe(200);
    expect(await listed()).toEqual(['bucket-of-s3', 'films', 'notes', 'photos']);
    expect(await listed('(names: ["photos", "none", "films", "X"])')).toEqual(['films', 'photos']);
    expect(await listed('(names: ["photos", "films"], prefix: "p")')).toEqual(['photos']);
    expect(await listed('(names: [])')).toEqual([]);
    for (const [args, totalCount] of [
      ['', 4],
      ['(first: 1)', 4],
      ['(first: 1, prefix: "f")', 1],
      ['(first: 1, names: ["photos", "films"])', 2],
    ] as const)
      expect(await graph.ask(`{ objectContainers${args} { totalCount } }`, {}, operator)).toEqual({
        objectContainers: { totalCount },
      });
    expect(await listed('(prefix: "no")')).toEqual(['notes']);
    const page = await list('(first: 3)');
    expect(page).toMatchObject({ nodes: [{}, {}, { name: 'notes' }], pageInfo: { hasNextPage: true } });
    expect(await listed(`(after: "${page?.pageInfo.endCursor}")`)).toEqual(['photos']);
    // Members of another project see nothing, whatever name they use.
    const stranger = identity('OPERATOR', projectB);
    const id = encodeId('ObjectContainer', `${encodeId('Project', projectA)}/films`);
    expect(await listed('', stranger)).toEqual([]);
    expect(await listed(`(projectId: "${encodeId('Project', projectA)}")`, stranger)).toEqual([]);
    expect(await graph.ask('query ($id: ID!) { objectContainer(id: $id) { name } }', { id }, stranger)).toEqual({
      objectContainer: null,
    });
    expect((await drop(id, stranger)).faults).toEqual(['NOT_FOUND input.id']);
    expect((await drop(id, identity('MEMBER'))).faults).toEqual(['FORBIDDEN ']);
    expect((await create({ name: 'films' }, identity('MEMBER'))).faults).toEqual(['FORBIDDEN ']);
    expect((await create({ name: 'films' }, stranger)).faults).toEqual([]);
    expect(await listed('', stranger)).toEqual(['films']);
    // Its CMP object lists the existing containers, also after one was deleted with S3.
    const cmp = encodeId('CmpObject', JSON.stringify(['default', 'tenant', '42']));
    const shown = async (who = operator) => {
      const text = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on CmpObject { objectContainers { nodes { name } totalCount } } } }`;
      const representations = { r: [{ __typename: 'CmpObject', id: cmp }] };
      const { _entities } = await graph.ask<{
        _entities: [{ objectContainers: { nodes: { name: string }[]; totalCount: number } }];
      }>(...[text, representations, who]);
      const { nodes, totalCount } = _entities[0].objectContainers;
      expect(totalCount).toBe(nodes.length);
      return nodes.map(({ name }) => name);
    };
    expect((await shown()).toSorted()).toEqual(['films', 'notes', 'photos']);
    expect(await shown(stranger)).toEqual([]);
    expect(await remove('south', '/notes')).toBe(204);
    expect((await shown()).toSorted()).toEqual(['films', 'photos']);
    expect(await drop(id)).toMatchObject({ faults: [], entity: { id } });
    expect(await shown()).toEqual(['photos']);
    expect((await drop(id)).faults).toEqual(['NOT_FOUND input.id']);
    // Its name is free. A new container with that name is a different container without a CMP object.
    expect(await create({ name: 'films' })).toMatchObject({ faults: [], entity: { cmpObject: null } });
    expect(await shown()).toEqual(['photos']);
  },
  120_000 * patience,
);

interface Signed {
  readonly signed: {
    readonly objectUrl: { url: string; method: string; clusterName: string; expiresAt: string } | null;
    readonly userErrors: readonly { code: string; field: string[] }[];
  };
}

const sign = async (kind: 'Upload' | 'Download', input: object, who = operator) => {
  const { signed } = await graph.ask<Signed>(
    `mutation ($input: Object${kind}UrlCreateInput!) { signed: object${kind}UrlCreate(input: $input) {
      objectUrl { url method clusterName cluster { id } expiresAt } userErrors { code field } } }`,
    ...[{ input }, who],
  );
  const faults = signed.userErrors.map(({ code, field }) => `${code} ${field.join('.')}`);
  return { faults, ...signed.objectUrl, url: signed.objectUrl?.url ?? '' };
};

test(
  'a presigned URL allows one kind of request to one object, until it expires or its key is revoked',
  async () => {
    const made = await create({ name: 'shared' });
    expect(made.faults).toEqual([]);
    const containerId = made.entity?.id;
    const name = "a folder/it's 100 % ünïcode?.txt";
    const south = federation.cluster('south').id;
    const upload = await sign('Upload', { containerId, name, clusterId: south });
    expect(upload).toMatchObject({ faults: [], method: 'PUT', clusterName: 'south', cluster: null });
    const send = async (url: string, method = 'GET', body?: string) => {
      const answer = await fetch(url, { method, ...(body === undefined ? {} : { body }) });
      return [answer.status, method === 'HEAD' ? '' : await answer.text()] as const;
    };
    expect(await send(upload.url, 'PUT', 'purr')).toEqual([200, '']);
    const viewer = identity('VIEWER');
    const download = await sign('Download', { containerId, name, validMs: 604_800_000 }, viewer);
    expect(download).toMatchObject({ faults: [], method: 'GET', clusterName: 'north' });
    const leftMs = Date.parse(String(download.expiresAt)) - Date.now();
    expect([leftMs > 604_700_000, leftMs <= 604_800_000]).toEqual([true, true]);
    expect(await send(download.url)).toEqual([200, 'purr']);
    // No other request is allowed: another method, object, time or signature.
    const other = new URL(download.url);
    other.searchParams.set('X-Amz-Expires', '604799');
    for (const [url, method] of [
      [download.url, 'PUT'],
      [download.url, 'DELETE'],
      [upload.url, 'GET'],
      [download.url.replace('it', 'at'), 'GET'],
      [other.href, 'GET'],
      [download.url.replace(/.$/, (last) => (last === '0' ? '1' : '0')), 'GET'],
    ] as const)
      expect((await send(url, method, method === 'PUT' ? 'hiss' : undefined))[0]).toBe(403);
    const short = await sign('Download', { containerId, name, validMs: 1_000 });
    await waitFor('it to end', async () => {
      const [status, text] = await send(short.url);
      return status === 403 && text.includes('has expired');
    });
    expect(await send(download.url)).toEqual([200, 'purr']);
    // Containers that do not belong to the caller, or do not exist.
    expect((await sign('Upload', { containerId, name }, viewer)).faults).toEqual(['FORBIDDEN ']);
    const stranger = identity('OPERATOR', projectB);
    expect((await sign('Download', { containerId, name }, stranger)).faults).toEqual(['NOT_FOUND input.containerId']);
    expect((await sign('Upload', { containerId, name: '', validMs: 604_801_000 })).faults).toEqual([
      ...['INVALID_INPUT input.validMs', 'INVALID_INPUT input.name'],
    ]);
    for (const wrong of ['ü'.repeat(513), 'a\0b'])
      expect((await sign('Upload', { containerId, name: wrong })).faults).toEqual(['INVALID_INPUT input.name']);
    expect((await sign('Upload', { containerId, name, validMs: 1_500 })).faults).toEqual([
      'INVALID_INPUT input.validMs',
    ]);
    const clusterId = encodeId('ObjectCluster', projectB);
    expect((await sign('Upload', { containerId, name, clusterId })).faults).toEqual(['NOT_FOUND input.clusterId']);
    // One key for each right, with a secret that nobody gets. Once revoked, it gives access to nothing.
    const keys = async () => {
      const text = '{ objectAccessKeys { nodes { id name forUrls canWrite revokedAt } } }';
      type Keys = { objectAccessKeys: { nodes: { id: string; forUrls: boolean; canWrite: boolean }[] } };
      return (await graph.ask<Keys>(text, {}, operator)).objectAccessKeys.nodes.filter(({ forUrls }) => forUrls);
    };
    const [writes, reads, ...more] = await keys();
    expect([writes?.canWrite, reads?.canWrite, more]).toEqual([true, false, []]);
    await graph.ask(
      'mutation ($id: ID!) { objectAccessKeyRevoke(input: { id: $id }) { userErrors { code } } }',
      { id: reads?.id },
      operator,
    );
    await waitFor('the URL to open nothing', async () => (await send(download.url))[0] === 403);
    expect(await send((await sign('Download', { containerId, name, clusterId: south })).url)).toEqual([200, 'purr']);
    expect((await send(upload.url, 'PUT', 'purr again'))[0]).toBe(200);
    // An old key signs no more, and is revoked when its last URL has expired.
    await graph.db.execute('UPDATE object_access_key SET created_at = NOW(3) - INTERVAL 31 DAY WHERE for_urls = 1');
    await sign('Upload', { containerId, name });
    expect((await keys()).filter(({ canWrite }) => canWrite).length).toBe(2);
    expect(await retireUrlKeys(graph, 100)).toBe(0);
    await graph.db.execute('UPDATE object_access_key SET created_at = NOW(3) - INTERVAL 39 DAY WHERE id = ?', [
      Buffer.from(writes?.id ?? '', 'base64url')
        .toString()
        .split(':')[1] ?? '',
    ]);
    expect(await retireUrlKeys(graph, 100)).toBe(1);
    await waitFor('its URL to open nothing', async () => (await send(upload.url, 'PUT', 'hiss'))[0] === 403);
  },
  120_000 * patience,
);

test(
  'while no cluster can be queried the answer is null with the reason, and nothing is changed',
  async () => {
    await federation.cluster('south').controller.stop();
    // Any one cluster is enough.
    expect(await listed()).toContain('photos');
    await federation.cluster('north').controller.stop();
    await expect(list()).rejects.toThrow('no cluster of object storage');
    const { told } = await create({ name: 'more', idempotencyKey: 'more' });
    expect(told).toMatchObject([{ code: 'UNAVAILABLE', message: expect.stringContaining('no cluster') }]);
    expect(await graph.db.query('SELECT id FROM object_question')).toEqual([]);
  },
  120_000 * patience,
);
