// Draws the pictures of the dashboard in docs/pictures: starts the product with its lab, makes objects of each domain, sends traffic for some minutes,
// lets one site die, and takes the start page in Chromium, light and dark. As root, with the packages of these parts of the lab:
// `npm run docs:screens [-- --chromium PATH]`. It takes a quarter of an hour.
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, logIn } from './dashboard-browser.ts';
import { LabProduct } from './lab-product.ts';
import { dashboardPicture } from './pictures.ts';

const pictures = join(import.meta.dirname, '../../docs/pictures');
const { parts, files, size, mostBytes, texts } = dashboardPicture;

/** Requests a second to each load balancer, minute by minute. */
const traffic = {
  shop: [18, 22, 27, 30, 26, 21, 24, 33, 38, 35, 29, 31],
  api: [12, 11, 14, 13, 10, 12, 15, 17, 16, 14, 15, 16],
  images: [9, 8, 8, 10, 13, 12, 9, 7, 8, 11, 10, 9],
  blog: [4, 6, 5, 7, 9, 8, 6, 5, 7, 10, 9, 8],
};

async function makeObjects(product: LabProduct): Promise<void> {
  const { WEB1, WEB2, WEB3 } = await product.variables('balancers');
  for (const name of Object.keys(traffic)) {
    const members = [WEB1, WEB2, WEB3].flatMap((host) => ['--member', `${host}:80`]);
    const more = ['--check', 'http:/', '--nodes', '2', '--cmp', 'tenant/42'];
    await product.run('loadbalancers', 'create', name, '--http', '80', ...members, ...more);
  }
  const { EU, US, AP, WEB_PORT, CLIENTS } = await product.variables('sites');
  const members = Object.entries({ eu: EU, us: US, ap: AP }).map(([name, address]) => ({
    ...{ name, memberRegion: name, addresses: [address], servicePort: Number(WEB_PORT) },
  }));
  const variables = {
    ...{ key: 'picture', fqdn: 'shop.gslb.lab.test', members },
    clientBlocks: [{ cidr: CLIENTS, region: 'eu' }],
  };
  await product.run('gql', 'docs/examples/gslb-name.graphql', '--variables', JSON.stringify(variables));
  await product.run('events', 'wait', '--kind', 'gslb.operatingStatus', '--to', 'ONLINE');
  for (const last of [7, 8, 9]) {
    const content = JSON.stringify({ set: 'blocked', address: `203.0.113.${last}` });
    await product.run('call', 'lab-firewall', 'setElement.add', '--arguments', content, '--cmp', 'tenant/42');
  }
  for (const condition of ['NAME_DEGRADED', 'LOAD_BALANCER_DEGRADED'])
    await product.run('alert-rules', 'create', condition.toLowerCase().replaceAll('_', '-'), '--condition', condition);
  const dayMs = 86_400_000;
  for (const [name, days] of Object.entries({ ci: 9, cmp: 24 })) {
    const expiresAt = new Date(Date.now() + days * dayMs).toISOString();
    await product.run('tokens', 'create', name, '--project', 'default', '--role', 'MEMBER', '--expires-at', expiresAt);
  }
  await product.run('login', '--cluster', 'north');
  await product.run('containers', 'create', 'photos', '--cmp', 'tenant/42');
}

/** The last minutes of traffic end after it. */
async function useObjects(product: LabProduct): Promise<{ readonly sent: Promise<unknown> }> {
  const sendTo = async (name: string, rates: readonly number[]): Promise<void> => {
    for (const rate of rates) {
      const words = ['hey', '-z', '60s', '-c', '1', '-q', String(rate), `http://${name}.default.lb.lab.test/`];
      await product.run('lab', 'exec', 'client', '--', ...words);
    }
  };
  const send = (from: number, to?: number) =>
    Promise.all(Object.entries(traffic).map(([name, rates]) => sendTo(name, rates.slice(from, to))));
  await product.run('loadbalancers', 'update', 'shop', '--nodes', '3');
  await product.run('loadbalancers', 'update', 'blog', '--description', 'of the press team');
  await send(0, -3);
  const sent = send(-3);
  await product.run('lab', 'kill', 'us-web');
  await product.run('events', 'wait', '--kind', 'gslb.operatingStatus', '--to', 'DEGRADED');
  return { sent };
}

/** Hides the lines that the lower edge of the page or of their panel would cut. */
const hideCutLines = `for (const line of document.querySelectorAll('.feed li, .panel-settings li')) {
  const { bottom } = line.closest('.scroll, section, .panel').getBoundingClientRect();
  if (line.getBoundingClientRect().bottom > Math.min(bottom, window.innerHeight)) line.style.visibility = 'hidden';
}`;

async function draw(product: LabProduct, chromium: string): Promise<void> {
  const browser = await launch(chromium);
  try {
    for (const [colorScheme, file] of Object.entries(files) as ['light' | 'dark', string][]) {
      const page = await browser.newPage({ viewport: size, colorScheme, locale: 'en-GB', timezoneId: 'UTC' });
      await page.goto(product.url);
      await logIn(page, product.password);
      for (const text of texts) await page.getByText(text).first().waitFor();
      await page.mouse.move(0, 0);
      await page.locator('.skeleton').first().waitFor({ state: 'detached' });
      await page.evaluate(hideCutLines);
      await page.screenshot({ path: join(pictures, file) });
      await page.close();
      const { size: bytes } = await stat(join(pictures, file));
      if (bytes > mostBytes) throw new Error(`docs/pictures/${file} has ${bytes} bytes: at most ${mostBytes}`);
      console.log(`docs/pictures/${file}`);
    }
  } finally {
    await browser.close();
  }
}

const { values } = parseArgs({ options: { chromium: { type: 'string', default: '/usr/bin/chromium' } } });
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
await mkdir(pictures, { recursive: true });
const product = await LabProduct.start(parts, ending.signal);
try {
  await makeObjects(product);
  const { sent } = await useObjects(product);
  await draw(product, values.chromium);
  await sent;
} finally {
  await product.stop();
}
