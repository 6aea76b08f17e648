// `tidegate cmp-objects show TYPE/ID`.
import { cmpObjectText, parseCmpObject } from '../../cmp-object.ts';
import { CommandFailure } from '../../failures.ts';
import { GraphFailure } from '../../graph-client.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { balancerSection } from './balancer-section.ts';
import { gslbSection } from './gslb-section.ts';
import { objectSection } from './object-section.ts';
import { relaySection } from './relay-section.ts';
import type { Section } from './section.ts';

/** One for each subgraph with data about CMP objects. */
const sections: readonly Section[] = [relaySection, balancerSection, gslbSection, objectSection];

type SectionResult =
  | { readonly section: Section; readonly found: unknown }
  | { readonly section: Section; readonly missing: string };

export const show = remoteVerb({
  summary: 'Show what a CMP object became: backend objects, load balancers, names and containers.',
  examples: ['tidegate cmp-objects show tenant/42'],
  takes: ['TYPE/ID'],
  options: {},
  async run({ client, options, names, printer }) {
    const object = parseCmpObject(names[0]);
    const results: SectionResult[] = [];
    for (const each of sections) results.push(await resultOf(each, () => each.read(client, object)));
    if (options.json) {
      const known = results.map((result) => [result.section.name, 'found' in result ? result.found : null]);
      await printer.json({ ...object, ...Object.fromEntries(known) });
    } else {
      await printer.line(cmpObjectText(object));
      for (const result of results) {
        await printer.line('');
        await printer.line(result.section.name);
        if ('found' in result) await result.section.print(printer, result.found);
        else await printer.line(`  ${result.missing}`);
      }
    }
    const away = results.flatMap((result) =>
      'missing' in result && result.missing !== notHere ? [result.section.name] : [],
    );
    if (away.length > 0) throw new CommandFailure(`incomplete: ${away.join(', ')} gave no answer`);
  },
});

const notHere = 'not part of this deployment';

/** A subgraph outside the deployment is missing from its graph. An unavailable one returns null. */
async function resultOf(section: Section, read: () => Promise<unknown>): Promise<SectionResult> {
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
