// The private web application firewall blocks attacks, allows only its administration over SSH, and leaves nothing behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from '@jest/globals';
import { Client } from 'ssh2';
import type { RunningWaf } from '../../lab/apache-waf.ts';
import { isRunning, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { attacks, describeWithWaf, testWaf, visit, wafObstacle } from '../support/servers/apache-waf.ts';

/** Runs one command over a separate login. Returns the exit code and the output. */
async function login(waf: RunningWaf, command: string): Promise<{ exitCode: number | null; output: string }> {
  const { host, port, username, privateKeyPath } = waf.ssh;
  const client = new Client();
  client.connect({
    sock: connect({ host, port, noDelay: true }),
    username,
    privateKey: await readFile(privateKeyPath),
  });
  await once(client, 'ready');
  client.on('error', () => {});
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let output = '';
      let exitCode: number | null = null;
      channel.on('data', (data: Buffer) => {
        output += data.toString();
      });
      channel.stderr.resume();
      channel.on('exit', (code: number | null) => {
        exitCode = code;
      });
      channel.on('close', () => {
        client.end();
        resolve({ exitCode, output });
      });
    });
  });
}

describeWithWaf('the firewall', (waf) => {
  test.each(Object.entries(attacks))(
    'refuses %s in blocking mode, and lets it pass in detection mode',
    async (_name, attack) => {
      expect(await visit(waf(), 'shop.lab', '/?q=shoes')).toBe(200);
      expect(await visit(waf(), 'shop.lab', attack)).toBe(403);
      expect(await visit(waf(), 'intranet.lab', attack)).toBe(200);
    },
  );

  test('applies a new rule after a graceful restart over SSH, without losing a request', async () => {
    const rule = join(waf().configFolder, 'waf/sites/shop.lab/rules/77.conf');
    await writeFile(rule, 'SecRule ARGS "@contains teapot" "id:77,phase:2,deny,status:406"\n');
    expect(await login(waf(), 'apache2ctl configtest && apache2ctl graceful')).toMatchObject({ exitCode: 0 });
    await waitFor('the rule', async () => {
      const status = await visit(waf(), 'shop.lab', '/?q=teapot');
      expect([200, 406]).toContain(status);
      return status === 406;
    });
  });

  test('refuses an invalid configuration', async () => {
    const rule = join(waf().configFolder, 'waf/sites/shop.lab/rules/78.conf');
    await writeFile(rule, 'SecRule ARGS "@rx (" "id:78,phase:2,deny"\n');
    expect((await login(waf(), 'apache2ctl configtest')).exitCode).not.toBe(0);
    await writeFile(rule, '');
    expect((await login(waf(), 'apache2ctl configtest')).exitCode).toBe(0);
  });

  test('its login can change the firewall and nothing else on this machine', async () => {
    for (const command of ['touch /etc/tidegate-probe', 'mount -n -o remount,rw /', 'mknod /run/probe b 1 1']) {
      expect((await login(waf(), command)).exitCode).not.toBe(0);
    }
    const setting = '/proc/sys/kernel/printk_ratelimit';
    expect((await login(waf(), `v=$(cat ${setting}) && echo "$v" >${setting}`)).exitCode).not.toBe(0);
    for (const path of ['/etc/shadow', waf().ssh.privateKeyPath, process.execPath, import.meta.filename])
      expect((await login(waf(), `cat ${path}`)).exitCode).toBe(1);
    expect((await login(waf(), 'whoami')).output).toBe('netops\n');
    await expect(access('/run/apache2/apache2.pid')).rejects.toThrow();
  });
});

const describeHere = wafObstacle === undefined ? describe : describe.skip;
describeHere(wafObstacle === undefined ? 'its life' : `its life (skipped: ${wafObstacle})`, () => {
  test('two run in parallel, and a stopped one leaves no process', async () => {
    const [one, other] = await Promise.all([testWaf(), testWaf()]);
    expect(one.waf.http.port).not.toBe(other.waf.http.port);
    expect(await visit(one.waf, 'shop.lab', '/')).toBe(200);
    await one.stop();
    expect(isRunning(one.waf.pid)).toBe(false);
    await expect(visit(one.waf, 'shop.lab', '/')).rejects.toThrow('ECONNREFUSED');
    expect(await visit(other.waf, 'shop.lab', '/')).toBe(200);
    await other.stop();
  });

  test('the firewall ends with its owner', async () => {
    const folder = await temporaryFolder();
    const script = join(import.meta.dirname, 'apache-waf-owner-process.ts');
    const owner = spawn(process.execPath, [script, join(folder.path, 'waf')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    const [pid = 0, port = 0] = JSON.parse(line) as number[];
    owner.kill('SIGKILL');
    await waitFor('its end', () => !isRunning(pid));
    await waitFor(
      'a free port',
      () =>
        new Promise<boolean>((resolve) => {
          const socket = connect({ port, host: '127.0.0.1' });
          socket.once('connect', () => {
            socket.destroy();
            resolve(false);
          });
          socket.once('error', () => resolve(true));
        }),
    );
    await folder.remove();
  });
});
