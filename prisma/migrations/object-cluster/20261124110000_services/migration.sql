-- The processes that serve the cluster, and the key pair that is its own.

CREATE TABLE `store_service` (
  `role` VARCHAR(32) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `version` VARCHAR(63) NOT NULL,
  `is_ready` BOOLEAN NOT NULL,
  `message` VARCHAR(255) NULL,
  `heard_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`role`, `name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `store_key_pair` (
  `name` VARCHAR(32) NOT NULL,
  `public_key` TEXT NOT NULL,
  `seal_key_id` VARCHAR(64) NOT NULL,
  `private_key_sealed` BLOB NOT NULL,
  PRIMARY KEY (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
