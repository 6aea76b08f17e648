// nginx serving plain files: the minimum cost of delivering bytes.
// needs: nginx-light
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';

interface Nginx {
  readonly url: string;
  /** The folder to serve. */
  readonly folder: string;
  readonly pids: readonly number[];
}

export async function startNginx(stack: AsyncDisposableStack, folder: string): Promise<Nginx> {
  const files = join(folder, 'files');
  await mkdir(files, { recursive: true });
  const port = await freePort();
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; user root; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;\nevents { worker_connections 1024; }\n` +
      `http { access_log off; sendfile on; keepalive_requests 1000000; ${places.join(' ')}\n` +
      `server { listen 127.0.0.1:${port}; root ${files}; } }\n`,
  );
  const child = spawn(
    ...endingWithParent('/usr/sbin/nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], { signal: 'SIGTERM' }),
    { stdio: 'ignore' },
  );
  stack.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor('nginx', () =>
    fetch(url).then(
      () => true,
      () => false,
    ),
  );
  return { url, folder: files, pids: [child.pid ?? 0] };
}
