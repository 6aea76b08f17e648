-- Whether a cluster lost what its replica had, as its last event said.

ALTER TABLE `object_cluster` ADD COLUMN `lost` BOOLEAN NOT NULL DEFAULT false AFTER `services`;
