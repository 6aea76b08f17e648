// Commands that read and write files: documents of GraphQL and their variables, and exports.
import { expect } from '@jest/globals';
import { exportedKinds } from '../../../../cli/apply/export.ts';
import { shortId } from '../../../../cli/short-id.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { byId, list, type Row, type Scenes } from '../command-table.ts';
import { emptyBeside } from './finding.ts';

const one = '{ projects(first: 1) { nodes { name } } }';
const two = 'query Two($id: ID!) { project(id: $id) { name } }';
const ofId = { project: ({ id }: { id: string }) => ({ name: `of ${id}` }) };

export const gql: Scenes = {
  'a file is sent as it is, and the answer is printed as it is; variables are in the line or a file': {
    answers: ofId,
    rows: [
      {
        files: { 'two.graphql': two },
        run: ['gql', 'DIR/two.graphql', '--variables', '{"id": "P"}'],
        also: ({ stdout }) => expect(JSON.parse(stdout)).toEqual({ data: { project: { name: 'of P' } } }),
      },
      { run: 'gql DIR/two.graphql --variables [1]', exit: 64 },
      {
        files: { 'vars.json': '{\n  "id": "Q"\n}\n' },
        run: 'gql DIR/two.graphql --variables @DIR/vars.json',
        also: ({ stdout }) => expect(JSON.parse(stdout)).toEqual({ data: { project: { name: 'of Q' } } }),
      },
      {
        run: 'explain DIR/two.graphql --variables @/nowhere/vars.json',
        ...{ exit: 1, err: 'there is no such file' },
      },
    ],
  },
  'a file of variables that has none is refused before anything is sent': {
    rows: [
      ["none.json can't be read: there is no such file", 'none.json'],
      ['half.json is not JSON: variables are a JSON object', 'half.json', '{"id": '],
      ['list.json has no JSON object', 'list.json', '[1]'],
      ['empty.json is not JSON', 'empty.json', ''],
    ].map(([err = '', name = '', content]) => ({
      files: { 'one.graphql': one, ...(content !== undefined && { [name]: content }) },
      run: `gql DIR/one.graphql --variables @DIR/${name}`,
      ...{ exit: 1, out: '', err, requests: [] },
    })),
  },
  'standard input has the operation or its variables, not both': {
    rows: [{ run: 'gql - --variables @-', exit: 64, err: 'standard input has either' }],
  },
  'errors are printed with what there is, and are no success': {
    rows: [
      {
        ...{ files: { 'wrong.graphql': '{ nothing }' }, run: 'gql DIR/wrong.graphql' },
        ...{ exit: 1, err: '', json: { errors: [{}] } },
      },
      { files: { 'wrong.graphql': ' ' }, run: 'gql DIR/wrong.graphql', exit: 1, err: 'no operation' },
    ],
  },
};

const at = '2026-01-01T00:00:00.000Z';
const rest = { description: '', version: 1, createdAt: at, updatedAt: at };
const projectId = encodeId('Project', newUuid());
const project = { __typename: 'Project', id: projectId, name: 'default', ...rest };
const pool = (id: string, name: string) => ({
  ...{ __typename: 'GslbPool', id, name, ...rest, project, minUp: 1, answerScope: 'ALL', monitors: [] },
  quorum: { downAtLeast: null, upAtLeast: null, leastVoters: null, leastRegions: 1, freshMs: null },
  failback: { mode: 'IMMEDIATE', delayMs: null },
});
const poolId = encodeId('GslbPool', newUuid());
const pools = [pool(poolId, 'web'), pool('G2', 'spare'), pool('G3', 'mail')];
const asked = ({ text, ...args }: { first: number; after: string | null; text?: string | null }) =>
  list(...pools.filter(({ name }) => name.includes(text ?? '')))(args);
const ofPools = emptyBeside({ projects: list(project), gslbPools: asked, node: byId(...pools) });
const names = (text: string) => [...text.matchAll(/^name: (.+)$/gm)].map(([, name]) => name);
const exported = (given: string, ...wanted: readonly string[]): Row => ({
  run: `export --kind GslbPool --name ${given}`,
  also: ({ stdout }) => expect(names(stdout)).toEqual(wanted),
});

export const exports: Scenes = {
  'the help names the kinds': {
    rows: [
      {
        run: 'export --help',
        also: ({ stdout }) => {
          for (const kind of exportedKinds) expect(stdout).toMatch(new RegExp(`[ ,.]${kind}[,.]`));
        },
      },
    ],
  },
  '--name writes only the objects that are named, by their names or ids, and asks for no others': {
    answers: ofPools,
    rows: [
      {
        run: 'export --kind GslbPool --name web --name mail',
        also: ({ stdout, requests }) => {
          expect(names(stdout)).toEqual(['web', 'mail']);
          expect(requests.filter((each) => 'names' in each).at(-1)).toMatchObject({ names: ['web', 'mail'] });
        },
      },
      exported(poolId, 'web'),
      exported(shortId(poolId) ?? '', 'web'),
    ],
  },
  'a name that no object has is refused with the nearest': {
    answers: ofPools,
    rows: [
      {
        run: 'export --kind GslbPool --name web --name sparr -f DIR/none.yaml',
        ...{ exit: 1, err: "tidegate: there is no GSLB pool 'sparr'; 'spare' is near\n" },
      },
      {
        run: 'export --kind GslbPool --name nothing-like-it',
        ...{ exit: 1, err: "tidegate: there is no GSLB pool 'nothing-like-it'\n" },
      },
    ],
  },
};
