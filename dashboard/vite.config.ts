// Builds two documents: the dashboard and GraphiQL. Everything is bundled and served from our own origin; nothing is
// inlined, because the Content-Security-Policy allows neither inline scripts nor inline styles.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const defaultGatewayUrl = 'http://127.0.0.1:4000';

/** Path of a file beside this one. */
function here(name: string): string {
  return decodeURIComponent(new URL(name, import.meta.url).pathname);
}

export default defineConfig({
  root: here('.'),
  plugins: [react()],
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
      // GraphiQL's modules carry directives of a compiler that has already run.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  server: { proxy: { '/graphql': { target: defaultGatewayUrl, ws: true } } },
});
