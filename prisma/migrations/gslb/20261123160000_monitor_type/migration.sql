-- Monitors of load balancers are listed twice a second.
ALTER TABLE `gslb_monitor` ADD INDEX `gslb_monitor_type_idx` (`type`, `deleted_at`);
