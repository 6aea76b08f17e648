// `tidegate find WORD`: objects of all kinds.
import { CommandFailure } from '../failures.ts';
import { searchAll } from '../found-objects.ts';
import { integer } from '../option.ts';
import { remoteVerb } from '../remote-verb.ts';

const usualEach = 10;

export const find = remoteVerb({
  summary: 'Find objects whose name has the word, objects at that address, calls about it, and mappings of that key.',
  takes: ['WORD'],
  options: { each: integer('N', `At most so many of each kind (${usualEach}).`, { least: 1, most: 100 }) },
  async run({ client, names, options, printer }) {
    const { found, missing } = await searchAll(client, names[0], options.each ?? usualEach);
    if (options.json) await printer.json(found);
    else if (found.length > 0) await printer.rows({ NAME: 'name', KIND: 'kind', STATE: 'state', ID: 'id' }, found);
    if (missing.length > 0) throw new CommandFailure(`incomplete: ${missing.join('; ')}`);
    if (found.length === 0) throw new CommandFailure(`nothing has '${names[0]}' in its name`);
  },
});
