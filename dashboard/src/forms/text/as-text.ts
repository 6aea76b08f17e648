// The form's mutation in four languages: command line, YAML, GraphQL, Python.
import { commandText } from './command.ts';
import { graphqlText } from './graphql-text.ts';
import { manifestText } from './manifest-text.ts';
import { pythonText } from './python.ts';
import { type Deed, missingIn, wholeInput } from './shown.ts';

const makers = { CLI: commandText, YAML: manifestText, GraphQL: graphqlText, Python: pythonText } as const;

export type Language = keyof typeof makers;

export const languages = Object.keys(makers) as readonly Language[];

interface AsText {
  readonly text: string;
  /** Whether a value is missing. The first line then names it in a comment: all four languages have comments with `#`. */
  readonly isIncomplete: boolean;
}

export function asText(language: Language, deed: Deed): AsText {
  const text = makers[language](deed);
  const missing = missingIn(wholeInput(deed)).flatMap((word) => {
    const at = text.search(new RegExp(`\\b${word}\\b`));
    return at < 0 ? [] : [{ word, at }];
  });
  const words = missing.toSorted((one, other) => one.at - other.at).map(({ word }) => word);
  if (missing.length === 0) return { text, isIncomplete: false };
  return { text: `# Incomplete: replace ${inWords(words)}.\n${text}`, isIncomplete: true };
}

function inWords(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), words.at(-1)].filter(Boolean).join(' and ');
}
