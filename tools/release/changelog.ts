// The text of CHANGELOG.md, in the form of Keep a Changelog 1.1.0 (keepachangelog.com). A release turns the section Unreleased into its own.
import { ReleaseError } from './release-error.ts';

/** Headings (`Added`) with their new lines, without the hyphen. */
export type Entries = ReadonlyMap<string, readonly string[]>;

interface Section {
  /** The text between the brackets. */
  readonly name: string;
  readonly text: string;
}

/** A section's text: before the first heading, and below each heading. */
interface Parts {
  readonly intro: string;
  readonly headings: ReadonlyMap<string, string>;
}

const unreleased = 'Unreleased';
export const graphHeading = 'Graph';
const order = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

export function hasSection(changelog: string, version: string): boolean {
  return split(changelog).sections.some(({ name }) => name === version);
}

/** Undefined without a section for the version. */
export function sectionOf(changelog: string, version: string): string | undefined {
  const section = split(changelog).sections.find(({ name }) => name === version);
  return section === undefined ? undefined : render(partsOf(section.text));
}

/**
 * The changelog with a section for the release, and that section's text. It consists of the hand-written text of Unreleased, the
 * sections of the version's own pre-releases, if it is final, and `entries`, whose graph takes the place of theirs. Unreleased is empty
 * afterwards.
 *
 * @param date as in 2026-01-31
 */
export function releaseChangelog(
  changelog: string,
  { version, date, entries }: { readonly version: string; readonly date: string; readonly entries: Entries },
): { readonly changelog: string; readonly section: string } {
  const { title, sections } = split(changelog);
  const written = sections.find(({ name }) => name === unreleased);
  if (written === undefined) throw new ReleaseError(`CHANGELOG.md has no section "## [${unreleased}]".`);
  const preReleases = sections.filter(({ name }) => name.startsWith(`${version}-`));
  const section = render(
    merge([partsOf(written.text), ...preReleases.map(({ text }) => withoutGraph(partsOf(text)))], entries),
  );
  if (section === '')
    throw new ReleaseError(
      `The section of ${version} would be empty: describe the release under "## [${unreleased}]" in CHANGELOG.md.`,
    );
  const others = sections.filter((each) => each !== written && !preReleases.includes(each));
  const texts = [
    title,
    `## [${unreleased}]`,
    `## [${version}] - ${date}\n\n${section}`,
    ...others.map(({ text, name }) => `## [${name}]${text}`),
  ];
  return { changelog: `${texts.map((each) => each.trim()).join('\n\n')}\n`, section };
}

/** A pre-release is compared with the last final version, as the final one is: its lines may be out of date. */
function withoutGraph({ intro, headings }: Parts): Parts {
  return { intro, headings: new Map([...headings].filter(([heading]) => heading !== graphHeading)) };
}

/** The text of a section begins right after the bracket. */
function split(changelog: string): { readonly title: string; readonly sections: readonly Section[] } {
  const [title = '', ...rest] = changelog.split(/^## \[/m);
  const sections = rest.map((text) => {
    const end = text.indexOf(']');
    return { name: text.slice(0, end), text: text.slice(end + 1) };
  });
  return { title, sections };
}

function partsOf(text: string): Parts {
  const [first = '', ...rest] = text.split(/^### /m);
  // The first line has the date of a pre-release.
  const intro = first.slice(first.indexOf('\n') + 1).trim();
  const headings = rest.map((part): [string, string] => {
    const [heading = '', ...lines] = part.split('\n');
    return [heading.trim(), lines.join('\n').trim()];
  });
  return { intro, headings: new Map(headings) };
}

function merge(all: readonly Parts[], entries: Entries): Parts {
  const headings = new Map<string, string>();
  const add = (heading: string, text: string) => {
    const before = headings.get(heading);
    headings.set(heading, before === undefined ? text : `${before}\n${text}`);
  };
  for (const parts of all) for (const [heading, text] of parts.headings) add(heading, text);
  for (const [heading, lines] of entries) {
    const known = new Set(headings.get(heading)?.split('\n'));
    const added = lines.map((line) => `- ${line}`).filter((line) => !known.has(line));
    if (added.length > 0) add(heading, added.join('\n'));
  }
  const intros = all.map(({ intro }) => intro).filter((intro) => intro !== '');
  return { intro: intros.join('\n\n'), headings };
}

function render({ intro, headings }: Parts): string {
  const names = [...order.filter((each) => headings.has(each)), ...headings.keys()];
  const texts = [...new Set(names)].map((name) => `### ${name}\n\n${headings.get(name)}`);
  return [intro, ...texts].filter((each) => each !== '').join('\n\n');
}
