-- What healing needs to know of nodes, and the breaker that stops it.
ALTER TABLE `lb_node`
  ADD COLUMN `round` INT UNSIGNED NOT NULL DEFAULT 0,
  ADD COLUMN `down_since` DATETIME(3) NULL,
  ADD COLUMN `judge_at` DATETIME(3) NULL,
  ADD COLUMN `suspect` BOOLEAN NOT NULL DEFAULT FALSE,
  ADD COLUMN `given_up` BOOLEAN NOT NULL DEFAULT FALSE,
  ADD COLUMN `checked_incarnation` CHAR(36) NULL,
  ADD COLUMN `named` BOOLEAN NOT NULL DEFAULT FALSE,
  ADD COLUMN `out_of_dns_at` DATETIME(3) NULL,
  ADD COLUMN `replace_reason` VARCHAR(255) NULL,
  ADD COLUMN `sessions` INT UNSIGNED NULL,
  ADD COLUMN `floating_priority` TINYINT UNSIGNED NULL,
  ADD COLUMN `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  ADD KEY `lb_node_state_idx` (`state`),
  ADD KEY `lb_node_updated_idx` (`updated_at`);

ALTER TABLE `lb_load_balancer`
  ADD COLUMN `floating_address` VARCHAR(45) NULL,
  ADD COLUMN `floating_router_id` TINYINT UNSIGNED NULL;

CREATE TABLE `lb_breaker` (
  `id` TINYINT UNSIGNED NOT NULL,
  `reason` VARCHAR(255) NULL,
  `calm_since` DATETIME(3) NULL,
  `version` INT NOT NULL DEFAULT 1,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
INSERT INTO `lb_breaker` (`id`) VALUES (1);
