// Builds two programs: the dashboard, with a document for each page, and GraphiQL. Everything is bundled and served from the
// gateway's own origin; nothing is inlined, because the Content-Security-Policy allows no inline styles, and of inline scripts only those
// that the documents here have.
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { exampleFiles, examplesFolder } from './example-files.ts';
import { ownDocuments } from './src/own-documents.ts';

const defaultGatewayUrl = 'http://127.0.0.1:4000';

/** Path of a file beside this one. */
function here(name: string): string {
  return decodeURIComponent(new URL(name, import.meta.url).pathname);
}

/** Each page has its own document, so that a server finds it by its path: /relay is relay.html. All are the same. */
function pageDocuments(): Plugin {
  return {
    name: 'page-documents',
    async writeBundle({ dir = here('dist') }) {
      const folders = await readdir(here('src/pages'), { withFileTypes: true });
      const names = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
      await Promise.all(names.map((name) => copyFile(join(dir, 'index.html'), join(dir, `${name}.html`))));
    },
  };
}

/**
 * GraphiQL's tabs have buttons inside: what is a tab must have none, and screen readers did not find them. They become a list of buttons, of which
 * one is current. Fails when another version of GraphiQL is written in another way.
 */
function plainTabs(): Plugin {
  const changes = [
    ['"aria-selected": isActive,', '"aria-current": isActive ? "true" : undefined,'],
    ['role: "tab",', ''],
    ['role: "tablist",', ''],
  ] as const;
  return {
    name: 'plain-tabs',
    transform(code, id) {
      if (!/@graphiql\/react\/dist\/components\/tabs\/index\.js$/.test(id.split('?', 1)[0] ?? '')) return null;
      return changes.reduce((text, [from, to]) => {
        if (!text.includes(from)) throw new Error(`GraphiQL's tabs no longer have ${from}`);
        return text.replace(from, to);
      }, code);
    },
  };
}

/** For the gateway (gateway/access/own-documents.ts): the hashes of what the pages send. */
function documentHashes(): Plugin {
  return {
    name: 'document-hashes',
    async writeBundle({ dir = here('dist') }) {
      const hashes = ownDocuments().map((text) => createHash('sha256').update(text).digest('hex'));
      await writeFile(join(dir, 'operations.json'), JSON.stringify(hashes));
    },
  };
}

/** Tabs of GraphiQL. */
function examples(): Plugin {
  const [name, resolved] = ['virtual:examples', '\0virtual:examples'];
  return {
    name: 'examples',
    resolveId: (id) => (id === name ? resolved : undefined),
    load(id) {
      if (id !== resolved) return undefined;
      for (const file of readdirSync(examplesFolder)) this.addWatchFile(join(examplesFolder, file));
      return `export const examples = ${JSON.stringify(exampleFiles())};`;
    },
  };
}

export default defineConfig({
  root: here('.'),
  // Relative addresses: one build works below any path that a proxy serves it at.
  base: './',
  plugins: [react(), examples(), pageDocuments(), documentHashes(), plainTabs()],
  worker: { format: 'es' },
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    // GraphiQL's editor is one large chunk that only its own document loads.
    chunkSizeWarningLimit: 6000,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: here('index.html'), graphiql: here('graphiql.html') },
      // GraphiQL's modules have directives of a compiler that has already run.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  server: { proxy: { '/graphql': { target: defaultGatewayUrl, ws: true }, '/session': { target: defaultGatewayUrl } } },
});
