// `tidegate mappings`: which CMP object is which backend object, whether that still holds, and a copy of all of it.
import { randomUUID } from 'node:crypto';
import { type Action, runAction } from '../actions.ts';
import { clientOptions } from '../client/client-options.ts';
import { parseCmpObject } from '../client/cmp-object.ts';
import { backendId } from '../client/find.ts';
import { Arguments, type Command, CommandFailure } from '../command.ts';
import { exportMappings } from './export.ts';
import { filterOptions, list } from './list.ts';
import { type Mapping, mappingFields, printMapping } from './mapping.ts';
import { verifyAll, verifyOne } from './verify.ts';

const errors = 'userErrors { code message field }';

const show: Action = {
  takes: ['ID'],
  async run({ client, names, printer, json }) {
    const { mapping } = await client.query<{ mapping: Mapping | null }>(
      `query ($id: ID!) { mapping(id: $id) { ${mappingFields} } }`,
      { id: names[0] },
    );
    if (mapping === null) throw new CommandFailure(`there is no mapping '${names[0]}'`);
    if (json) await printer.json(mapping);
    else await printMapping(printer, mapping);
  },
};

const adopt: Action = {
  takes: [],
  async run({ client, args, printer, json }) {
    const uuid = args.text('uuid');
    const input = {
      idempotencyKey: randomUUID(),
      cmpObject: { ...parseCmpObject(args.requiredText('cmp-object')), role: args.text('role') ?? '' },
      resource: args.requiredText('resource'),
      scope: args.text('scope') ?? '',
      key: args.requiredText('key'),
      shared: args.flag('shared'),
      ...(uuid === undefined ? {} : { uuid }),
      backend: { id: await backendId(client, args.requiredText('backend')) },
    };
    const { mapping } = await client.mutate<{ mapping: Mapping }>(
      `mutation ($input: MappingAdoptInput!) { mappingAdopt(input: $input) { mapping { ${mappingFields} } ${errors} } }`,
      input,
    );
    if (json) await printer.json(mapping);
    else await printMapping(printer, mapping);
  },
};

const forget: Action = {
  takes: ['ID'],
  async run({ client, names, printer, json }) {
    const { mapping } = await client.mutate<{ mapping: Mapping }>(
      `mutation ($input: MappingForgetInput!) { mappingForget(input: $input) { mapping { ${mappingFields} } ${errors} } }`,
      { id: names[0], idempotencyKey: randomUUID() },
    );
    if (json) await printer.json(mapping);
    else await printer.line(`${mapping.resource} ${mapping.key} is mapped no longer; it is still on the backend`);
  },
};

export const mappings: Command = {
  name: 'mappings',
  usage: `mappings list [--backend NAME] [--state STATE] [--verification RESULT] [--cmp-object TYPE/ID] [--updated-from TIME]
    mappings show ID
    mappings verify ID
    mappings verify --backend NAME|--cmp-object TYPE/ID [--state STATE] [--verification RESULT] [--updated-from TIME]
    mappings adopt --backend NAME --cmp-object TYPE/ID --resource RESOURCE --key KEY [--scope SCOPE] [--shared]
    mappings forget ID
    mappings export [--output FILE] [--after POSITION] [--project PROJECT]`,
  options: {
    ...filterOptions,
    limit: { value: 'N', help: 'list: how many, newest first (20); verify: at most so many (100000).' },
    resource: { value: 'RESOURCE', help: "adopt: the driver's word for such objects, for example rule." },
    scope: { value: 'SCOPE', help: 'adopt: where on the backend, for example "inet filter forward".' },
    key: { value: 'KEY', help: "adopt: the object's name there." },
    uuid: { value: 'UUID', help: "adopt: the backend's own id of it, where the name does not say which." },
    role: { value: 'ROLE', help: 'adopt: what it is to the CMP object.' },
    shared: { help: 'adopt: several CMP objects may own it.' },
    output: { value: 'FILE', help: 'export: into this file, which is replaced once the export is whole.' },
    after: { value: 'POSITION', help: 'export: only what changed since an earlier export, deletions too.' },
    project: { value: 'PROJECT', help: "export: only this project's; its name or id." },
    ...clientOptions,
  },
  run(context) {
    if (context.args[0] === 'export') return exportMappings(mappings, context);
    const one = new Arguments(mappings, context.args).positionals.length > 1;
    return runAction(mappings, { list, show, verify: one ? verifyOne : verifyAll, adopt, forget }, context);
  },
};
