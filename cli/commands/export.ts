// `tidegate export -f FILE`: writes existing objects as a file for apply.

import { writeFile } from 'node:fs/promises';
import { graphql } from '../../generated/cli/index.ts';
import { documentText, exportedKinds, exportKind } from '../apply/export.ts';
import { NameSearch, unknownName } from '../apply/export-names.ts';
import { allAtOnce } from '../at-once.ts';
import { CommandFailure, CommandFaults, Interruption, UsageError } from '../failures.ts';
import { projectId } from '../find.ts';
import { type GraphClient, GraphFailure } from '../graph-client.ts';
import { kindOf } from '../kinds/find-object.ts';
import { chosenFrom, several, text } from '../option.ts';
import { commonOptions, remoteVerb } from '../remote-verb.ts';
import { replaceFile } from '../replace-file.ts';
import { visible } from '../visible.ts';

/** Also an option of diff. */
export const kindOption = several(
  'KIND',
  `Only objects of this kind: ${exportedKinds.join(', ')}.`,
  chosenFrom(exportedKinds),
);

const document = graphql(`
  query ExportProjects { projects(first: 2) { nodes { id name } } }
`);

export const exportObjects = remoteVerb({
  summary: 'Write what there is as a file that apply takes. Secrets are left out, with a comment.',
  examples: ['tidegate export --kind LoadBalancer --name web -f web.yaml'],
  takes: [],
  options: {
    file: {
      ...text('FILE', 'Where to write; default: the output. The file is replaced once the export is complete.'),
      short: 'f',
    },
    kind: kindOption,
    name: several('NAME', 'Only objects of this name or id; a part also as PARENT/NAME.'),
    project: commonOptions.project,
  },
  async run({ client, options, signal, stdout, stderr, printer }) {
    const { file, kind: chosen, name: names, project } = options;
    const inProject = await onlyProject(client, project);
    const texts: string[] = [];
    const counts: { kind: string; count: number }[] = [];
    const kinds = exportedKinds.filter((each) => chosen.length === 0 || chosen.includes(each));
    const search = new NameSearch(names);
    for (const type of kinds) {
      const before = texts.length;
      const kind = kindOf(type);
      try {
        for await (const each of exportKind(client, kind, inProject, search.in(kind))) texts.push(documentText(each));
      } catch (error) {
        // A caller without access to a kind gets the other kinds, unless it was requested.
        if (!(error instanceof GraphFailure) || error.code !== 'FORBIDDEN' || chosen.length > 0) throw error;
        stderr.write(`tidegate: ${type} is left out: ${visible(error.message)}\n`);
      }
      counts.push({ kind: type, count: texts.length - before });
    }
    const unknown = await allAtOnce(search.notFound(), (each) =>
      unknownName(client, each, { kinds, parts: search.parts, projectId: inProject }),
    );
    if (unknown.length > 0) throw new CommandFaults(unknown);
    const content = texts.join('---\n');
    if (file === undefined) {
      stdout.write(content);
      return;
    }
    await replaceFile(file, async (partial, flag) => {
      await writeFile(partial, content, { mode: 0o600, flag, flush: true, signal });
    }).catch((error: NodeJS.ErrnoException) => {
      if (signal.aborted) throw new Interruption();
      throw new CommandFailure(`${file} can't be written: ${error.code ?? String(error)}`);
    });
    if (options.json) return printer.json(counts.filter(({ count }) => count > 0));
    await printer.line(texts.length === 1 ? `1 object is in ${file}` : `${texts.length} objects are in ${file}`);
  },
});

/** The file has no reference to the project. */
async function onlyProject(client: GraphClient, named: string | undefined): Promise<string | undefined> {
  const given = await projectId(client, named);
  if (given !== undefined) return given;
  const [only, another] = (await client.query(document, {})).projects.nodes;
  if (another !== undefined) throw new UsageError('you see several projects: give --project');
  return only?.id;
}
