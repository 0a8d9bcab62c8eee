/**
 * Takes the wrapper to its edges and prints what it meets; the test compares.
 *
 *     node checks.js ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
 *         HOST_THAT_THROTTLES
 */

import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

import {
  Client,
  FpgaAssociateError,
  OBSERVED_APART,
  OBSERVED_ASSOCIATED,
  OBSERVED_NOTHING,
} from './fpga_associate.js';

const [endpoint, projectId, fpgaId, ecsId, caFile, broken, busy] = process.argv.slice(2);
const token = process.env.FPGA_TOKEN;

async function failure(call) {
  try {
    await call();
  } catch (error) {
    assert(error instanceof FpgaAssociateError, error);
    return error;
  }
  assert.fail('no error');
}

async function isRefused(call) {
  try {
    await call();
  } catch (error) {
    return error instanceof FpgaAssociateError || error instanceof TypeError;
  }
  return false;
}

/** Whether the call met what belongs to it, and not to another call. */
async function oneCall(client, number) {
  if (number % 2 === 0) {
    const pairs = await client.associations(token, projectId, { ecsId });
    return pairs.length === 1;
  }
  const unknown = number.toString(16).padStart(32, '0');
  const error = await failure(() => client.associate(token, projectId, unknown, ecsId));
  return error.code === 'Ecs.0031' && error.message.includes(unknown);
}

const OBSERVED = {
  [OBSERVED_NOTHING]: 'nothing',
  [OBSERVED_ASSOCIATED]: 'associated',
  [OBSERVED_APART]: 'apart',
};
const observed = (error) => OBSERVED[error.observed];
const outcome = (error) => (error.outcomeUnknown ? 'unknown' : 'known');
const list = async (client, images) => {
  const pairs = await client.associations(token, projectId, images);
  return pairs.length;
};

/** A call without a token. */
async function ownCall(settings) {
  const client = new Client(endpoint, settings);
  try {
    await client.associations(null, projectId, { ecsId });
  } finally {
    await client.close();
  }
}

const plain = new Client(endpoint);
console.log('no settings, ECS image alone:', await list(plain, { ecsId }));
await plain.close();
const client = new Client(endpoint, { caFile, timeoutMs: 20_000, userAgent: 'checks/1' });
const kept = await client.associations(token, projectId, { fpgaId });
console.log('FPGA image alone:', kept.length);
client.closeIdle();
const ofPem = new Client(endpoint, { caPem: readFileSync(caFile, 'utf8') });
console.log('authority from memory:', await list(ofPem, { ecsId }));
await ofPem.close();

for (const [what, call] of [
  ['no endpoint', () => new Client(null)],
  ['no token', () => client.associate(null, projectId, fpgaId, ecsId)],
  ['no ECS image', () => client.associate(token, projectId, fpgaId)],
  ['no image at all', () => client.associations(token, projectId)],
  ['zero byte', () => client.associate(token, projectId, `${fpgaId}\0`, ecsId)],
  ['no such CA file', () => new Client(endpoint, { caFile: '/nonexistent/ca.pem' })],
  ['no client certificate', () => new Client(endpoint, { clientCertificate: 'none' })],
]) {
  const error = await failure(call);
  console.log(`${what}: ${error.statusName}`);
}

const NOT_A_TEXT = [5, ['text'], Buffer.from('text'), 'zero\0byte', 'surrogate\ud800'];
const WRONG_SETTINGS = {
  timeoutMs: [-1, 0, 2 ** 31, 2 ** 32, 2 ** 32 + 5, 2 ** 64, 5.5, NaN, 5n, true, '5', null],
  maxAttempts: [-1, 0, 2 ** 32 + 1, 1.5, true, null],
  caFile: [null, 5, Buffer.from(caFile)],
  caPem: [null, 5, ['text']],
  userAgent: [null, ...NOT_A_TEXT],
  confirm: [null, 0, 1, 'false'],
  token: [null, '', ...NOT_A_TEXT],
  accessKey: [null, 5, {}, { accessKey: 'key' }, { accessKey: 'key', secretKey: null }],
  ecsAgency: [null, 1, 'true'],
  noSuchSetting: [5],
  toString: [5],
};
const accepted = [];
for (const [name, values] of Object.entries(WRONG_SETTINGS))
  for (const value of values)
    if (!(await isRefused(() => new Client(endpoint, { [name]: value }))))
      accepted.push([name, value]);
if (!(await isRefused(() => new Client(endpoint, { token, environmentCredentials: true }))))
  accepted.push('two kinds of credentials');
console.log('wrong settings:', accepted.length === 0 ? 'refused' : accepted);
accepted.length = 0;
for (const value of NOT_A_TEXT)
  for (const call of [
    () => new Client(value),
    () => client.associate(value, projectId, fpgaId, ecsId),
    () => client.associations(token, projectId, { ecsId: value }),
  ])
    if (!(await isRefused(call))) accepted.push(value);
console.log('wrong texts:', accepted.length === 0 ? 'refused' : accepted);

const refusal = await failure(() => client.associate(token, projectId, '0'.repeat(32), ecsId));
const withId = refusal.requestId && refusal.message.includes(refusal.requestId);
console.log(
  `unknown image: ${refusal.statusName} ${refusal.httpStatus} ${refusal.code}`,
  `${withId ? 'with' : 'without'} request id, outcome ${outcome(refusal)}`,
);

const other = new Client(broken, { confirm: false });
const lost = await failure(() => other.associate(token, projectId, fpgaId, ecsId));
console.log(
  `lost connection: ${lost.statusName} ${lost.httpStatus},`,
  `outcome ${outcome(lost)}, observed ${observed(lost)}`,
);
await other.close();

const throttled = new Client(busy);
const wait = await failure(() => throttled.associate(token, projectId, fpgaId, ecsId));
console.log(
  `throttled: ${wait.statusName} ${wait.httpStatus},`,
  `to wait ${wait.retryAfterMs} ms, attempts ${wait.attempts}`,
);
await throttled.close();

const met = await Promise.all(Array.from({ length: 200 }, (_, number) => oneCall(client, number)));
const right = met.filter(Boolean).length;

const idempotent = new Client(endpoint, { idempotent: true });
const again = await failure(() => client.associate(token, projectId, fpgaId, ecsId));
console.log(`associated already: ${again.statusName}, observed ${observed(again)}`);
await idempotent.associate(token, projectId, fpgaId, ecsId);
console.log('associated already, idempotent: allowed');
await client.disassociate(token, projectId, fpgaId, ecsId);
console.log('taken away, left:', await list(client, { ecsId }));
const gone = await failure(() => client.disassociate(token, projectId, fpgaId, ecsId));
console.log(`taken away already: ${gone.statusName}, observed ${observed(gone)}`);
await idempotent.disassociate(token, projectId, fpgaId, ecsId);
console.log('taken away already, idempotent: allowed');
await idempotent.close();
await client.close();
await client.close();
await failure(() => client.associate(token, projectId, fpgaId, ecsId));
await failure(() => client.closeIdle());
console.log('closed: refused');
console.log('kept after closing:', kept[0].status);

const { FPGA_ACCESS_KEY: accessKey, FPGA_SECRET_KEY: secretKey } = process.env;
await ownCall({ accessKey: { accessKey, secretKey } });
console.log('access key: ok');
const wrong = secretKey.slice(1);
const wrongKey = await failure(() => ownCall({ accessKey: { accessKey, secretKey: wrong } }));
const told = inspect(wrongKey, { depth: null, showHidden: true }).includes(wrong);
console.log(`wrong secret key: ${wrongKey.statusName}${told ? ', which tells it' : ''}`);
const none = await failure(() => ownCall());
console.log(`no credentials: ${none.statusName}`);
console.log('calls at once:', right);
