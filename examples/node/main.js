/**
 * Associates an FPGA image with an ECS image and lists what the ECS image has.
 *
 *     node main.js [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
 *
 * The environment variable FPGA_TOKEN holds a token. Without it --agency takes the keys of the agency
 * of the ECS server that this runs on, and otherwise there is an access key where the vendor's tools
 * look for one: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK. FPGA_ASSOCIATE_LIBRARY is the library's
 * path. The exit status is the fpga_assoc_status.
 */

import {
  Client,
  CREDENTIALS_FAILED,
  FpgaAssociateError,
  INVALID_ARGUMENT,
} from './fpga_associate.js';

async function main() {
  const agency = process.argv[2] === '--agency';
  const [endpoint, projectId, fpgaId, ecsId, ...more] = process.argv.slice(agency ? 3 : 2);
  if (ecsId === undefined || more.length > 0) {
    console.error('usage: main.js [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID');
    return INVALID_ARGUMENT;
  }

  try {
    await associateAndList(endpoint, credentials(agency), projectId, fpgaId, ecsId);
  } catch (error) {
    if (!(error instanceof FpgaAssociateError)) throw error;
    report(error);
    return error.status;
  }
  return 0;
}

function credentials(agency) {
  const token = process.env.FPGA_TOKEN;
  if (token !== undefined) return { token };
  return agency ? { ecsAgency: true } : { environmentCredentials: true };
}

async function associateAndList(endpoint, settings, projectId, fpgaId, ecsId) {
  const client = new Client(endpoint, settings);
  try {
    await client.associate(null, projectId, fpgaId, ecsId);
    console.log(`FPGA image ${fpgaId} is associated with ECS image ${ecsId}`);
    for (const pair of await client.associations(null, projectId, { ecsId })) {
      const isProtected = pair.isProtected ? 'protected' : 'not protected';
      const size = `${pair.sizeMb} MB`;
      console.log([pair.ecsId, pair.fpgaId, pair.status, size, isProtected, pair.name].join('  '));
    }
  } finally {
    await client.close();
  }
}

function report(error) {
  console.error(`error: ${error.message}`);
  console.error(`  status:     ${error.statusName} (${error.status})`);
  if (error.code) console.error(`  code:       ${error.code}`);
  if (error.requestId) console.error(`  request id: ${error.requestId}`);
  if (error.outcomeUnknown) console.error('  outcome:    unknown, the service may have acted');
  if (error.status === CREDENTIALS_FAILED)
    console.error(
      '  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK,',
      'or, on an ECS server with an agency, --agency',
    );
  console.error(`  help:       ${error.help}`);
}

process.exitCode = await main();
