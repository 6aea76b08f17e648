-- Since when a deleted row is kept only for repeated requests and for readers of changes.
ALTER TABLE `lb_load_balancer` ADD COLUMN `deleted_at` DATETIME(3) NULL, ADD KEY `lb_load_balancer_deleted_idx` (`deleted_at`);
ALTER TABLE `lb_part` ADD COLUMN `deleted_at` DATETIME(3) NULL, ADD KEY `lb_part_deleted_idx` (`deleted_at`);
ALTER TABLE `lb_subnet` ADD COLUMN `deleted_at` DATETIME(3) NULL, ADD KEY `lb_subnet_deleted_idx` (`deleted_at`);
ALTER TABLE `lb_certificate` ADD COLUMN `deleted_at` DATETIME(3) NULL, ADD KEY `lb_certificate_deleted_idx` (`deleted_at`);
