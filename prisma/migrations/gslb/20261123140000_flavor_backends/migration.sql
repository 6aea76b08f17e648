-- A flavor names a DNS backend by its id, with its type. Before, it had a text that nothing checked; all zones are our own name servers' still.

UPDATE `gslb_flavor` SET `spec` = JSON_SET(`spec`, '$.backend', NULL, '$.backendType', 'ANSWERER')
WHERE JSON_VALUE(`spec`, '$.backendType') IS NULL;
