/** The files of docs/examples (example-files.ts). */
declare module 'virtual:examples' {
  import type { GraphiQLProps } from 'graphiql';

  export const exampleTabs: NonNullable<GraphiQLProps['defaultTabs']>;
}
