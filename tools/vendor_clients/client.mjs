// @azure/arm-compute: a gallery, an image and a version, from first to last.
import assert from "node:assert/strict";
import { ComputeManagementClient } from "@azure/arm-compute";

const { ARM, SUBSCRIPTION, SOURCE } = process.env;
const credential = {
  getToken: async () => ({ token: "a.b.c", expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const client = new ComputeManagementClient(credential, SUBSCRIPTION, { endpoint: ARM });
const fast = { updateIntervalInMs: 200 };
const group = "rg";
const versions = client.galleryImageVersions;

await client.galleries.beginCreateOrUpdateAndWait(group, "labs", { location: "eastus" }, fast);
const image = {
  location: "eastus",
  osType: "Windows",
  osState: "Generalized",
  hyperVGeneration: "V2",
  identifier: { publisher: "p", offer: "o", sku: "s" },
};
await client.galleryImages.beginCreateOrUpdateAndWait(group, "labs", "win", image, fast);
const regions = [{ name: "East US" }];
const version = {
  location: "eastus",
  publishingProfile: { targetRegions: regions },
  storageProfile: { source: { id: SOURCE } },
};
await versions.beginCreateOrUpdateAndWait(group, "labs", "win", "1.0.0", version, fast);
const update = {
  publishingProfile: { targetRegions: [...regions, { name: "West US" }] },
  storageProfile: {},
};
await versions.beginUpdateAndWait(group, "labs", "win", "1.0.0", update, fast);
const seen = await versions.get(group, "labs", "win", "1.0.0", { expand: "ReplicationStatus" });
assert.deepEqual(seen.publishingProfile.targetRegions.map((one) => one.name).sort(), [
  "East US",
  "West US",
]);
assert.deepEqual([...new Set(seen.replicationStatus.summary.map((one) => one.state))], [
  "Completed",
]);
await versions.beginDeleteAndWait(group, "labs", "win", "1.0.0", fast);
for await (const left of versions.listByGalleryImage(group, "labs", "win")) {
  assert.fail(`still there: ${left.name}`);
}
