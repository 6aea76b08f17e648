/** The files of docs/examples (example-files.ts). */
declare module 'virtual:examples' {
  export const examples: readonly { readonly name: string; readonly query: string; readonly variables?: string }[];
}
