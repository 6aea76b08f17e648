// `tidegate cmp-objects show TYPE/ID`.
import { cmpObjectText, parseCmpObject } from '../../cli/cmp-object.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { GraphFailure } from '../../cli/graph-client.ts';
import { remoteVerb } from '../../cli/remote-verb.ts';
import { balancerSection } from './balancer-section.ts';
import { gslbSection } from './gslb-section.ts';
import { objectSection } from './object-section.ts';
import { relaySection } from './relay-section.ts';
import type { Section } from './section.ts';

/** One for each subgraph with data about CMP objects. */
const sections: readonly Section[] = [relaySection, balancerSection, gslbSection, objectSection];

type Part =
  | { readonly section: Section; readonly found: unknown }
  | { readonly section: Section; readonly missing: string };

export const show = remoteVerb({
  summary: 'Show what a CMP object became, with a section for each subgraph.',
  takes: ['TYPE/ID'],
  options: {},
  async run({ client, options, names, printer }) {
    const object = parseCmpObject(names[0]);
    const parts: Part[] = [];
    for (const each of sections) parts.push(await partOf(each, () => each.read(client, object)));
    if (options.json) {
      const known = parts.map((part) => [part.section.name, 'found' in part ? part.found : null]);
      await printer.json({ ...object, ...Object.fromEntries(known) });
    } else {
      await printer.line(cmpObjectText(object));
      for (const part of parts) {
        await printer.line('');
        await printer.line(part.section.name);
        if ('found' in part) await part.section.print(printer, part.found);
        else await printer.line(`  ${part.missing}`);
      }
    }
    const away = parts.flatMap((part) => ('missing' in part && part.missing !== notHere ? [part.section.name] : []));
    if (away.length > 0) throw new CommandFailure(`incomplete: ${away.join(', ')} gave no answer`);
  },
});

const notHere = 'not part of this deployment';

/** A subgraph that is not part of a deployment is not in its graph; an unavailable one returns null. */
async function partOf(section: Section, read: () => Promise<unknown>): Promise<Part> {
  try {
    const found = await read();
    return found === null ? { section, missing: 'no answer' } : { section, found };
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error;
    if (error.code === 'GRAPHQL_VALIDATION_FAILED') return { section, missing: notHere };
    if (error.code === 'SUBGRAPH_UNAVAILABLE') return { section, missing: error.message };
    throw error;
  }
}
