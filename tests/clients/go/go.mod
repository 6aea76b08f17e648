module tidegate/client-tests

go 1.19

require tidegate/client v0.0.0

replace tidegate/client => ../../../clients/go
